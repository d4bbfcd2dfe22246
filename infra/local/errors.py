"""What can be wrong with the laptop stack, in sentences for whoever reads the terminal."""

__all__ = ["StackError"]


class StackError(RuntimeError):
    """Something the person at the keyboard can act on; the message says what and how."""
