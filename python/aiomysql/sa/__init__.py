"""SQLAlchemy's expression language on aiomysql's connections, without SQLAlchemy's engine."""

try:
    import sqlalchemy as _sqlalchemy  # noqa: F401 - only to say clearly that it is missing
except ImportError as _error:
    raise ImportError("aiomysql.sa needs SQLAlchemy: pip install aiomysql[sa]") from _error

from .connection import SAConnection
from .engine import Engine, create_engine
from .exc import (
    ArgumentError,
    Error,
    InvalidRequestError,
    NoSuchColumnError,
    ResourceClosedError,
)

__all__ = (
    "ArgumentError",
    "Engine",
    "Error",
    "InvalidRequestError",
    "NoSuchColumnError",
    "ResourceClosedError",
    "SAConnection",
    "create_engine",
)
