"""docs/what-happens-when.md names the tests that hold its promises: they exist."""

from __future__ import annotations

import re

from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs/what-happens-when.md").read_text()

_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def promises() -> list[str]:
    """The rows of the page's tables."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith("| when |")]


def test_every_promise_names_a_test() -> None:
    assert len(promises()) > 50
    for promise in promises():
        assert _TEST.search(promise.rpartition(" | ")[2]), promise


def test_the_tests_exist() -> None:
    for path, name in _TEST.findall(PAGE):
        text = (ROOT / "tests" / path).read_text()
        assert re.search(rf"^(async )?def {name}\(", text, re.M), f"{path}::{name}"


def test_nothing_else_is_said_to_hold_a_promise() -> None:
    """A name that is misspelt is not overlooked."""
    assert PAGE.count("::") == len(_TEST.findall(PAGE))
