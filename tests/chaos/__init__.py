"""Faults that are made for real on a laptop stack under load, and what must hold all the same."""
