"""A server's temporary folder: a short path, gone with its server, or swept up by the next run."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import IO

_PREFIX = "aiomysql-"
_OWNER = "owner.lock"
# A folder younger than this may not have been locked yet.
_YOUNG_SECONDS = 60


class Folder:
    """A folder below /tmp (a unix socket's path must stay under 108 bytes, and TMPDIR may be long).

    Its owner holds a lock on a file in it; an unlocked folder was left by a run that was killed.
    """

    def __init__(self) -> None:
        _sweep()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir="/tmp"))
        self.path.chmod(0o755)
        self._lock: IO[str] = (self.path / _OWNER).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _sweep() -> None:
    for folder in Path("/tmp").glob(f"{_PREFIX}*"):
        try:
            state = folder.lstat()
            # What another account made may hold links that lead anywhere.
            if state.st_uid != os.geteuid() or time.time() - state.st_ctime < _YOUNG_SECONDS:
                continue
            with (folder / _OWNER).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
