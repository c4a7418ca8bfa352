"""Plugins of the suite, and its switches."""

from __future__ import annotations

import os

from hypothesis import settings

# The same examples in every run, so that what passed once does not fail on another machine;
# `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("default", derandomize=True, database=None, deadline=None)
settings.register_profile("search", max_examples=20_000, deadline=None, print_blob=True)
settings.load_profile("default")

# The library reads its private switch when it is imported.
if os.environ.get("AIOMYSQL_TEST_DRIVER"):
    os.environ["AIOMYSQL_DRIVER"] = os.environ["AIOMYSQL_TEST_DRIVER"]

pytest_plugins = (
    "tests.fix_asyncio",
    "tests.fix_connections",
    "tests.fix_page",
    "tests.fix_servers",
)
