"""What can go wrong between us and a cluster."""

__all__ = ["PlatformError"]


class PlatformError(RuntimeError):
    """The cluster, or something in it, refused or did not come up; the message is one a person can act on."""
