"""Runs stages beside each other, as many as there are lanes; each lane has servers of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.process import die_with_parent
from tools.environment import ROOT
from tools.stages import Counts, Stage

_POLL_SECONDS = 0.1


@dataclass
class _Lane:
    """Runs one stage at a time."""

    # The environment that its stages find, such as the servers' addresses.
    variables: dict[str, str]
    running: _Run | None = None


@dataclass
class _Run:
    stage: Stage
    variables: dict[str, str]
    folder: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)
    began: float = field(default_factory=time.monotonic)
    # What failed the first time, while it is repeated.
    first: Counts | None = None

    def __post_init__(self) -> None:
        self._start(self.stage.command_in(self._path))

    @property
    def _path(self) -> Path:
        return Path(self.folder.name)

    def _start(self, command: tuple[str, ...]) -> None:
        with (self._path / "output").open("wb") as output:
            # From the main thread: the child dies with the thread that started it.
            self.process: subprocess.Popen[Any] = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **self.variables, **self.stage.variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )

    def finished(self) -> Counts | None:
        """What it counted, once it has ended for good."""
        if self.process.poll() is None:
            return None
        output = (self._path / "output").read_bytes()
        again = "" if self.first is None else ", what had failed once more"
        sys.stdout.buffer.write(f"\n── {_title(self.stage)}{again}\n".encode() + output)
        text = output.decode(errors="replace")
        counts = self.stage.count(self.process.returncode, text, self._path)
        if self.first is not None:
            return self.first.repeated(counts)
        if command := self.stage.again(counts, self._path):
            self.first = counts
            self._start(command)
            return None
        return counts

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()


def run_all(stages: list[Stage], lanes: list[dict[str, str]]) -> int:
    """Run every stage, whatever became of the others; the last line is the sum."""
    waiting = list(stages)
    working = [_Lane(variables) for variables in lanes]
    total = Counts()
    groups: dict[str, Counts] = {}
    lines = []

    def counted(stage: Stage, counts: Counts, seconds: float) -> None:
        lines.append(f"{seconds:7.1f} s  {_title(stage)}: {counts}")
        if stage.group:
            counts.failures = [f"{stage.group}, {name}" for name in counts.failures]
            counts.unsteady = [f"{stage.group}, {name}" for name in counts.unsteady]
            groups.setdefault(stage.group, Counts()).add(counts)
        total.add(counts)

    try:
        while waiting or any(lane.running for lane in working):
            for lane in working:
                if lane.running is None and waiting:
                    stage = waiting.pop(0)
                    if stage.missing:
                        print(f"\n── {_title(stage)}\n{stage.missing}")
                        counted(stage, stage.skipped(), 0.0)
                        continue
                    print(f"── {_title(stage)}: started", flush=True)
                    lane.running = _Run(stage, lane.variables)
                if lane.running and (counts := lane.running.finished()) is not None:
                    run, lane.running = lane.running, None
                    run.folder.cleanup()
                    counted(run.stage, counts, time.monotonic() - run.began)
                    print(f"── {lines[-1].strip()}", flush=True)
            time.sleep(_POLL_SECONDS)
    finally:
        for lane in working:
            if lane.running:
                lane.running.stop()
    print("\n" + "\n".join(lines))
    for name in total.failures:
        print(f"failed: {name}")
    for name in total.unsteady:
        print(f"unsteady: {name} failed, and passed when it was run once more")
    _print_groups(groups)
    print(f"\n{total}", flush=True)
    return 1 if total.failed else 0


def _title(stage: Stage) -> str:
    return f"{stage.group}, {stage.name}" if stage.group else stage.name


def _print_groups(groups: dict[str, Counts]) -> None:
    """A line for each, and under it why it skipped what it skipped."""
    for name, counts in groups.items():
        print(f"\n{name}: {counts}")
        for reason, number in counts.reasons.most_common():
            print(f"  {number} skipped: {reason}")
