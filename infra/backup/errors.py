"""What can be wrong with a backup, in sentences for whoever reads the terminal."""

__all__ = ["BackupError"]


class BackupError(RuntimeError):
    """Something the person at the keyboard can act on; the message says what and how."""
