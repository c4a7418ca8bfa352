"""Runs stages one after another, shows their output and seconds, and adds up what they counted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests.servers.process import die_with_parent
from tools.environment import ROOT


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Counts) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass(frozen=True)
class Stage:
    """A command that counts as one, passed or failed."""

    name: str
    command: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    # Why it cannot run here; it counts as skipped, or as failed where CI is set.
    missing: str | None = None

    def run(self) -> Counts:
        status, _ = stream(self.command, self.variables)
        return Counts(failed=1) if status else Counts(passed=1)


@dataclass(frozen=True)
class CargoTest(Stage):
    """Counts what Rust's test harness says."""

    def run(self) -> Counts:
        status, text = stream(self.command, self.variables)
        total = Counts()
        pattern = r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored"
        for passed, failed, ignored in re.findall(pattern, text):
            total.add(Counts(int(passed), int(failed), int(ignored)))
        if status and not total.failed:
            total.failed = 1
        return total


@dataclass(frozen=True)
class Pytest(Stage):
    """Counts what pytest's report says."""

    def run(self) -> Counts:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            command = (*self.command, f"--junit-xml={report}")
            status, _ = stream(command, self.variables)
            total = Counts()
            if report.exists():
                total = _read_report(report)
        # Also where nothing was collected, or pytest fell over.
        if status and not total.failed:
            total.failed = 1
        return total


def run_all(stages: list[Stage]) -> int:
    """Run every stage, whatever became of the ones before; the last line is the sum."""
    total = Counts()
    lines = []
    for stage in stages:
        print(f"\n── {stage.name}", flush=True)
        began = time.monotonic()
        counts = _skipped(stage) if stage.missing else stage.run()
        seconds = time.monotonic() - began
        lines.append(f"{seconds:7.1f} s  {stage.name}: {counts}")
        print(f"── {stage.name}: {counts}, {seconds:.1f} s", flush=True)
        total.add(counts)
    print("\n" + "\n".join(lines))
    print(f"\n{total}", flush=True)
    return 1 if total.failed else 0


def stream(command: tuple[str, ...], variables: dict[str, str]) -> tuple[int, str]:
    """Run a command with its output on the console as it comes; also give that output back."""
    heard = bytearray()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=die_with_parent,
    ) as process:
        assert process.stdout is not None
        try:
            while piece := os.read(process.stdout.fileno(), 65536):
                heard += piece
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
        except BaseException:
            process.terminate()
            raise
        return process.wait(), heard.decode(errors="replace")


def _skipped(stage: Stage) -> Counts:
    print(stage.missing)
    return Counts(failed=1) if os.environ.get("CI") else Counts(skipped=1)


def _read_report(path: Path) -> Counts:
    total = Counts()
    for suite in ElementTree.parse(path).iter("testsuite"):
        number = {name: int(suite.get(name, 0)) for name in ("tests", "skipped")}
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        passed = max(number["tests"] - failed - number["skipped"], 0)
        total.add(Counts(passed, failed, number["skipped"]))
    return total
