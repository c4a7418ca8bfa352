"""Results: medians and spreads, kept in a JSON file that later runs add to."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Setting:
    """Where a workload ran."""

    workload: str
    server: str
    transport: str
    loop: str


@dataclass(frozen=True)
class Result:
    """One driver's rounds, in the workload's unit."""

    setting: Setting
    driver: str
    version: str
    cpu: tuple[float, ...]
    wall: tuple[float, ...]
    peak_mb: float | None = None

    @property
    def key(self) -> tuple[str, ...]:
        where = self.setting
        return (where.workload, where.server, where.transport, where.loop, self.driver)


def median_and_spread(rounds: tuple[float, ...]) -> tuple[float, float]:
    """The median, and half the distance between the quartiles as a share of it."""
    middle = statistics.median(rounds)
    if len(rounds) < 3:
        return middle, 0.0
    low, _, high = statistics.quantiles(rounds, n=4)
    return middle, (high - low) / 2 / middle


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def load(path: Path) -> list[Result]:
    if not path.exists():
        return []
    return [
        Result(
            Setting(**each["setting"]),
            each["driver"],
            each["version"],
            tuple(each["cpu"]),
            tuple(each["wall"]),
            each["peak_mb"],
        )
        for each in json.loads(path.read_text())["results"]
    ]


def save(path: Path, results: list[Result], about: dict[str, str]) -> None:
    save_json(path, {"about": about, "results": [asdict(result) for result in results]})


def save_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def merged(old: list[Result], new: list[Result]) -> list[Result]:
    """New results take the place of old ones for the same driver in the same setting."""
    by_key = {result.key: result for result in [*old, *new]}
    return list(by_key.values())
