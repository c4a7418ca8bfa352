"""What the schedules did, by stage and fault: a table at the end of pytest's report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.schedules import Kind
from tests.faults.stages import Stage


class Tally:
    def __init__(self) -> None:
        self._counts: Counter[tuple[str, Stage, Kind, str]] = Counter()

    def count(self, vendor: str, stage: Stage, kind: Kind, outcome: str) -> None:
        self._counts[vendor, stage, kind, outcome] += 1

    def vendors(self) -> list[str]:
        return sorted({vendor for vendor, *_ in self._counts})

    def pairs(self, vendor: str) -> Counter[tuple[Stage, Kind]]:
        """How many schedules there were of each pair."""
        pairs: Counter[tuple[Stage, Kind]] = Counter()
        for (of, stage, kind, _), count in self._counts.items():
            if of == vendor:
                pairs[stage, kind] += count
        return pairs

    def lines(self) -> Iterator[str]:
        for vendor in self.vendors():
            pairs = self.pairs(vendor)
            yield _line(f"{vendor}, {sum(pairs.values())}", *(kind.value for kind in Kind))
            for stage in Stage:
                yield _line(stage.value, *(pairs[stage, kind] for kind in Kind))
        for kind in Kind:
            outcomes: Counter[str] = Counter()
            for (_, _, of, outcome), count in self._counts.items():
                if of is kind:
                    outcomes[outcome] += count
            text = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
            yield f"{kind.value}: {text}"


def _line(name: str, *cells: object) -> str:
    return f"{name:19}" + "".join(f"{cell!s:>13}" for cell in cells)


_TALLY = Tally()


@pytest.fixture(scope="session")
def fault_tally() -> Tally:
    return _TALLY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _TALLY.vendors():
        return
    terminalreporter.section("fault schedules")
    for line in _TALLY.lines():
        terminalreporter.write_line(line)
