"""The version, as tracing libraries read it."""

from ._native import __version__

version: str = __version__

__all__ = ["__version__", "version"]
