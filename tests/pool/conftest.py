"""Fixtures of the pool's tests."""

from tests.pool.support import connects

__all__ = ["connects"]
