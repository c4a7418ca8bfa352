"""What `make test` consists of: a command each, and what its output counts."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

# More failures than this are no accident of timing.
_MOST_REPEATED = 5


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    # What failed, and passed when it was run again.
    unsteady: list[str] = field(default_factory=list)
    # Why how many were skipped.
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures
        self.unsteady += other.unsteady
        self.reasons += other.reasons

    def repeated(self, again: Counts) -> Counts:
        """What passed the second time counts as passed, and is named."""
        unsteady = [name for name in self.failures if name not in again.failures]
        good = len(unsteady)
        failures = again.failures or self.failures[good:]
        passed, failed = self.passed + good, self.failed - good
        return Counts(passed, failed, self.skipped, failures, unsteady, self.reasons)

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
    # Stages of one group are also summed up in a line of their own.
    group: str = ""

    def command_in(self, folder: Path) -> tuple[str, ...]:
        """The command, which may leave a report in `folder`."""
        return self.command

    def count(self, status: int, output: str, folder: Path) -> Counts:
        return Counts(failed=1) if status else Counts(passed=1)

    def again(self, counts: Counts, folder: Path) -> tuple[str, ...] | None:
        """A command that repeats what failed, where that is worth while."""
        return None

    def skipped(self) -> Counts:
        if os.environ.get("CI"):
            return Counts(failed=1)
        return Counts(skipped=1, reasons=Counter([self.missing or ""]))


@dataclass(frozen=True)
class CargoTest(Stage):
    """Counts what Rust's test harness says."""

    def count(self, status: int, output: str, folder: Path) -> Counts:
        total = Counts()
        pattern = r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored"
        for passed, failed, ignored in re.findall(pattern, output):
            total.add(Counts(int(passed), int(failed), int(ignored)))
        if status and not total.failed:
            total.failed = 1
        return total


@dataclass(frozen=True)
class Pytest(Stage):
    """Counts what pytest's report says."""

    def command_in(self, folder: Path) -> tuple[str, ...]:
        return (*self.command, f"--junit-xml={folder}/report.xml", "-o", f"cache_dir={folder}")

    def count(self, status: int, output: str, folder: Path) -> Counts:
        report = folder / "report.xml"
        total = _read_report(report) if report.exists() else Counts()
        # Also where nothing was collected, or pytest fell over.
        if status and not total.failed:
            total.failed = 1
        report.unlink(missing_ok=True)
        return total

    def again(self, counts: Counts, folder: Path) -> tuple[str, ...] | None:
        if not 0 < len(counts.failures) == counts.failed <= _MOST_REPEATED:
            return None
        return (*self.command_in(folder), "--last-failed", "--last-failed-no-failures=none")


def _read_report(path: Path) -> Counts:
    total = Counts()
    for suite in ElementTree.parse(path).iter("testsuite"):
        number = {name: int(suite.get(name, 0)) for name in ("tests", "skipped")}
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        passed = max(number["tests"] - failed - number["skipped"], 0)
        total.add(Counts(passed, failed, number["skipped"]))
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                total.failures.append(f"{case.get('classname')}.{case.get('name')}")
            if (skipped := case.find("skipped")) is not None:
                total.reasons[_reason(skipped)] += 1
    return total


def _reason(skipped: ElementTree.Element) -> str:
    """Where a whole file was skipped, the message says no more than that."""
    of_file = re.search(r"Skipped: (.+)['\"]\)$", skipped.text or "")
    return of_file[1] if of_file else skipped.get("message", "")
