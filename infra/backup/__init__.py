"""Backup and restore of a stack, on a laptop or on a cluster: one encrypted file that names every digest in it."""
