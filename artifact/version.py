"""The version of Ferryman itself, from which the build takes it too: an image holds no metadata of packages."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
