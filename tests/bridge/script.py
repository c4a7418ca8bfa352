"""For code that a test runs in a process of its own: its arguments, and the loop under test."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from typing import Any

from tests.fix_asyncio import new_event_loop

given: Any = json.loads(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[0] == "-c" else None


def run(work: Coroutine[Any, Any, Any], debug: bool | None = None) -> Any:
    """`asyncio.run`, on the loop under test."""
    loop = new_event_loop()
    if debug is not None:
        loop.set_debug(debug)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()
