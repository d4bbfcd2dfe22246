"""What can be wrong with building images, in sentences for whoever reads the terminal."""

__all__ = ["ImageError"]


class ImageError(RuntimeError):
    """Something the person at the keyboard can act on; the message says what and how."""
