"""What a round costs."""

from __future__ import annotations

import time


class Clock:
    """Wall and CPU seconds of this process, all of its threads."""

    def __enter__(self) -> Clock:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu = time.process_time() - self._cpu
        self.wall = time.perf_counter() - self._wall
