"""The scenarios under aiomysql 0.3.2 and under this library: transcripts must agree."""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.compat import differences
from tests.compat.report import Tally
from tests.compat.scenarios import all_cases
from tests.fix_servers import RunningServer
from tools import environment

Transcripts = dict[str, list[list[str]]]

AREAS = sorted({case.area for case in all_cases()})
#: Seconds that all scenarios of one run may take.
PATIENCE = 300


class Runs:
    """The transcripts of both libraries on each server, made when the first test asks."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Transcripts, Transcripts]] = {}

    def on(self, server: RunningServer) -> tuple[Transcripts, Transcripts]:
        if server.vendor not in self._made:
            theirs = _start(environment.reference_python(), server)
            ours = _start(Path(sys.executable), server)
            self._made[server.vendor] = (_finish(theirs), _finish(ours))
        return self._made[server.vendor]


def _start(python: Path, server: RunningServer) -> subprocess.Popen[str]:
    command = [str(python), "-m", "tests.compat.run", server.vendor, server.address.url]
    return subprocess.Popen(
        command,
        cwd=environment.ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str]) -> Transcripts:
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors[-3000:]
    made: Transcripts = json.loads(output)
    return made


@pytest.fixture(scope="session")
def runs() -> Runs:
    if not environment.reference_python().exists():
        reason = "there is no aiomysql 0.3.2: python -m tools.environment reference"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return Runs()


@pytest.mark.parametrize("area", AREAS)
def test_the_same_as_aiomysql(
    server: RunningServer, runs: Runs, area: str, compat_tally: Tally
) -> None:
    theirs, ours = runs.on(server)
    names = [name for name in theirs if name.startswith(f"{area}/")]
    assert names
    unexplained = []
    for name in names:
        changes = list(_changes(theirs[name], ours[name]))
        found = [differences.find(server.vendor, name, label, mine) for label, _, mine in changes]
        compat_tally.count(server.vendor, area, len(theirs[name]), found)
        unexplained += [
            f"{name}\n    {label}\n      aiomysql: {his}\n      this one: {mine}"
            for (label, his, mine), reason in zip(changes, found)
            if reason is None
        ]
    if unexplained:
        pytest.fail("\n".join(["unexplained differences:", *unexplained]), pytrace=False)


def _changes(theirs: list[list[str]], ours: list[list[str]]) -> Any:
    """(label, what they say, what we say) of each step that differs; None for a missing one."""
    one, other = ([tuple(step) for step in steps] for steps in (theirs, ours))
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    for kind, start, end, our_start, our_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        said = dict(one[start:end])
        for label, mine in other[our_start:our_end]:
            yield label, said.pop(label, None), mine
        for label, his in said.items():
            if label not in {mine for mine, _ in other[our_start:our_end]}:
                yield label, his, None


def test_every_listed_difference_is_there(
    request: pytest.FixtureRequest, runs: Runs, compat_tally: Tally
) -> None:
    """An entry that nothing shows any more is to be removed."""
    if not compat_tally.is_complete(AREAS):
        pytest.skip("needs the whole comparison on both servers")
    expected = [each for each in differences.BEHAVIOUR if each.cases and not each.by_chance]
    assert not [each.text for each in expected if each not in compat_tally.seen]


def test_there_are_enough_scenarios() -> None:
    assert len(all_cases()) >= 300
