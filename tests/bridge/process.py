"""What the kernel says about this process."""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path
from typing import Callable

import pytest

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")


def descriptors() -> dict[int, str]:
    """Open descriptors and what they are."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the one that listed the folder
    return found


def threads() -> dict[int, str]:
    """The process's threads and their names."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            found[int(task.name)] = (task / "comm").read_text().strip()
        except OSError:
            continue  # it has just ended
    return found


def our_threads() -> list[str]:
    return [name for name in threads().values() if name.startswith("aiomysql")]


def voluntary_switches(thread: int) -> int:
    for line in Path(f"/proc/self/task/{thread}/status").read_text().splitlines():
        if line.startswith("voluntary_ctxt_switches"):
            return int(line.split()[1])
    raise AssertionError(f"no voluntary_ctxt_switches for thread {thread}")


def resident_kib() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether a condition becomes true; what other threads do takes a moment."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        gc.collect()
        time.sleep(0.01)
    return True
