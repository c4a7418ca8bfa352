"""The measurements run, for a moment; what they find is not looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]


def measure(server: Any, output: Path, name: str, *arguments: str) -> Any:
    """The figures that a measurement of ours alone writes."""
    command = [sys.executable, "-m", f"benches.python.{name}", "--driver", "ours", *arguments]
    done = subprocess.run(
        [*command, "--output", str(output)],
        cwd=ROOT,
        env={**os.environ, "AIOMYSQL_TEST_MARIADB": server.address.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (output / f"{name}.md").read_text() in done.stdout
    return json.loads((output / f"{name}.json").read_text())


pytestmark = pytest.mark.vendor("mariadb")


def test_scale(server: Any, tmp_path: Path) -> None:
    smallest = ("--rounds", "1", "--most-rows", "100", "--most-connections", "2")
    figures = measure(server, tmp_path, "scale", *smallest)
    names = [result["setting"]["workload"] for result in figures["results"]]
    assert names == ["rows 10", "stream 10", "rows 100", "stream 100", "pool 1", "pool 2"]
    for chart in ("rows", "connections"):
        ElementTree.parse(tmp_path / f"scale-{chart}.svg")


def test_fairness(server: Any, tmp_path: Path) -> None:
    figures = measure(server, tmp_path, "fairness", "--rounds", "1", "--seconds", "0.05")
    assert len(figures["results"]) == 5
    for result in figures["results"]:
        (only,) = result["rounds"]
        assert 0 < only["query"]["p50"] <= only["query"]["p99"] <= only["query"]["longest"]


def test_footprint(server: Any, tmp_path: Path) -> None:
    fewest = ("--connections", "20", "--rounds", "1", "--imports", "1", "--connects", "1")
    figures = measure(server, tmp_path, "footprint", *fewest)
    assert list(figures["memory"]) == ["ours"]
    assert [each["statement"] for each in figures["imports"]] == ["pass", "import aiomysql"]
    assert [each["setting"]["transport"] for each in figures["connects"]] == ["unix", "tcp"]
