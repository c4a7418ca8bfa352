"""A proxy between a client and a server that does to their bytes what networks do."""

from . import faults
from .proxy import Proxy
from .stream import Direction, Fault, Link, Stream

__all__ = ["Direction", "Fault", "Link", "Proxy", "Stream", "faults"]
