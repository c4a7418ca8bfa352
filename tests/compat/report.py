"""What the comparison counted, by area: a table at the end of pytest's report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from tests.compat.differences import Difference
from tests.servers import VENDORS


class Tally:
    def __init__(self) -> None:
        self.scenarios: Counter[tuple[str, str]] = Counter()
        self.steps: Counter[tuple[str, str]] = Counter()
        self.expected: Counter[tuple[str, str]] = Counter()
        self.unexplained: Counter[tuple[str, str]] = Counter()
        self.seen: list[Difference] = []

    def count(self, vendor: str, area: str, steps: int, found: Iterable[Difference | None]) -> None:
        key = (vendor, area)
        self.scenarios[key] += 1
        self.steps[key] += steps
        for difference in found:
            if difference is None:
                self.unexplained[key] += 1
                continue
            self.expected[key] += 1
            if difference not in self.seen:
                self.seen.append(difference)

    def is_complete(self, areas: list[str]) -> bool:
        return all(self.scenarios[vendor, area] for vendor in VENDORS for area in areas)

    def lines(self) -> Iterator[str]:
        yield _line("server", "area", "scenarios", "steps", "expected", "unexplained")
        counters = (self.scenarios, self.steps, self.expected, self.unexplained)
        for key in sorted(self.scenarios):
            yield _line(*key, *(counter[key] for counter in counters))
        for vendor in sorted({vendor for vendor, _ in self.scenarios}):
            keys = [key for key in self.scenarios if key[0] == vendor]
            yield _line(
                vendor, "in all", *(sum(counter[key] for key in keys) for counter in counters)
            )


def _line(vendor: str, area: str, *numbers: object) -> str:
    return f"{vendor:9}{area:14}" + "".join(f"{number!s:>13}" for number in numbers)


_TALLY = Tally()


@pytest.fixture(scope="session")
def compat_tally() -> Tally:
    return _TALLY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _TALLY.scenarios:
        return
    terminalreporter.section("compared with aiomysql 0.3.2")
    for line in _TALLY.lines():
        terminalreporter.write_line(line)
