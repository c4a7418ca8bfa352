"""Fixtures of the pool's tests."""

from tests.faults.conftest import proxy
from tests.pool.support import connects

__all__ = ["connects", "proxy"]
