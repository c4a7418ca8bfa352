"""A proxy between a client and a server that does to their bytes what networks do."""

from .proxy import Direction, Link, Proxy

__all__ = ["Direction", "Link", "Proxy"]
