"""The names of aiomysql 0.3.2, and what they look like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.compat import differences, surface
from tools.environment import ROOT

RECORDED: dict[str, str] = json.loads((Path(__file__).parent / "surface.json").read_text())
MODULES = [*surface.MODULES]


def _module_of(path: str) -> str:
    return max((name for name in MODULES if path.startswith(f"{name}.")), key=len)


def _ours(path: str) -> str | None:
    try:
        return surface.describe(path)
    except AttributeError:
        return None


def _fits(theirs: str, ours: str | None) -> bool:
    """The same, or more of the same: keyword-only parameters after theirs, more exported names."""
    if ours is None:
        return False
    if theirs == ours:
        return True
    head, rest, _ = theirs.partition(", **kwargs)") if "**" in theirs else (theirs[:-1], ")", "")
    if theirs.endswith(")") and rest and ours.startswith(head) and ours.endswith(rest):
        added = ours[len(head) : -len(rest)].removeprefix(", ").split(", ")
        return all(" by name" in parameter for parameter in added)
    return " " in theirs and set(theirs.split()) < set(ours.split()) and "(" not in theirs


def _differing(module: str) -> dict[str, str | None]:
    names = [path for path in RECORDED if _module_of(path) == module]
    assert names
    return {path: _ours(path) for path in names if not _fits(RECORDED[path], _ours(path))}


@pytest.mark.parametrize("module", MODULES)
def test_everything_is_there_and_looks_the_same(module: str) -> None:
    unexplained = [
        f"{path}\n    aiomysql: {RECORDED[path]}\n    this one: {ours}"
        for path, ours in _differing(module).items()
        if not any(each.explains(path, ours) for each in differences.SURFACE)
    ]
    if unexplained:
        pytest.fail("\n".join(unexplained), pytrace=False)


def test_every_listed_difference_is_there() -> None:
    differing = {path: ours for module in MODULES for path, ours in _differing(module).items()}
    for each in differences.SURFACE:
        assert any(each.explains(path, ours) for path, ours in differing.items()), each.text


def test_the_exceptions_are_those_of_pymysql() -> None:
    import aiomysql
    import pymysql.err

    for name in pymysql.err.__dict__:
        kind = getattr(pymysql.err, name)
        if isinstance(kind, type) and hasattr(aiomysql, name):
            assert getattr(aiomysql, name) is kind


def test_the_page_of_differences_is_in_step() -> None:
    said = (ROOT / "docs/differences.md").read_text()
    assert said == differences.page(), "python -m tests.compat.differences > docs/differences.md"
