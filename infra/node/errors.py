"""What can be wrong with the node, in sentences for whoever reads the terminal."""

__all__ = ["NodeError"]


class NodeError(RuntimeError):
    """Something the person at the keyboard can act on; the message says what and how."""
