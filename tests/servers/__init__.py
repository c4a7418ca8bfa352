"""Real MariaDB and MySQL servers, started for a test run and thrown away after it.

Needs Debian's apt but neither root nor any Python package; docs/testing.md tells how to use it.
"""

from .address import KINDS, VENDORS, Address, from_environment, variable
from .apt import PackagesUnavailable
from .fleet import Fleet, throw_away
from .server import Server, ServerFailed

__all__ = [
    "KINDS",
    "VENDORS",
    "Address",
    "Fleet",
    "PackagesUnavailable",
    "Server",
    "ServerFailed",
    "from_environment",
    "throw_away",
    "variable",
]
