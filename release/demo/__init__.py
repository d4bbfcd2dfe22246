"""A release, shown: on the laptop stack, with models and load of its own."""
