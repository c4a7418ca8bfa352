"""Where the examples find their server: MYSQL_HOST, MYSQL_PORT and so on."""

from __future__ import annotations

import os
from typing import Any


def server() -> dict[str, Any]:
    """Arguments for `connect()` and `create_pool()`."""
    return {
        "host": os.environ.get("MYSQL_HOST", "127.0.0.1"),
        "port": int(os.environ.get("MYSQL_PORT", "3306")),
        "user": os.environ.get("MYSQL_USER", "root"),
        "password": os.environ.get("MYSQL_PASSWORD", ""),
        "db": os.environ.get("MYSQL_DATABASE", "test"),
    }
