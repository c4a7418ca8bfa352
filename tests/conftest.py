"""Plugins of the suite, and its switches."""

from __future__ import annotations

import os

# The library reads its private switch when it is imported.
if os.environ.get("AIOMYSQL_TEST_DRIVER"):
    os.environ["AIOMYSQL_DRIVER"] = os.environ["AIOMYSQL_TEST_DRIVER"]

pytest_plugins = (
    "tests.fix_asyncio",
    "tests.fix_connections",
    "tests.fix_servers",
)
