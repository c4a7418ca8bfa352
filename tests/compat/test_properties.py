"""Random values and statements: literals are what aiomysql 0.3.2 makes of them.

What the comparison leaves out, because it was wrong there, is in docs/differences.md and has tests
of its own: bytearray and memoryview, negative timedeltas, Decimals that are no number.
"""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.oracle import MODES, Answer, Call, Oracle, Sessions
from tests.compat.strategies import statements, texts, values
from tests.fix_asyncio import Runner
from tests.fix_servers import RunningServer
from tools import environment

#: Each example asks this many questions at once.
_BATCH = 20


class _Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Sides:
    """aiomysql 0.3.2 and this library, each on connections of its own."""

    def __init__(self, server: RunningServer) -> None:
        python = environment.reference_python()
        self._oracle = Oracle(python, environment.ROOT, server.address.url)
        self._runner = Runner()
        self._sessions = Sessions()
        self._runner.run(self._sessions.open(server.connect_kwargs()))

    def compare(self, calls: list[Call]) -> None:
        # Both sides get copies: a NaN, or a time without its zone, is no longer itself.
        ours = [self._sessions.answer(call) for call in pickle.loads(pickle.dumps(calls))]
        for call, his, mine in zip(calls, self._oracle.ask(calls), ours):
            assert mine == _expected(call, his), call

    def ours(self, call: Call) -> Answer:
        return self._sessions.answer(call)

    def by_python(self, mode: str, query: str, arguments: Any) -> Answer:
        """`mogrify`, step by step."""

        def escape(value: Any) -> Any:
            escaped = self._sessions.answer(Call(mode, "escape", (value,)))
            if escaped.kind != "str":
                raise _Refused(escaped)
            return escaped.said

        try:
            if isinstance(arguments, (tuple, list)):
                return Answer("str", query % tuple(map(escape, arguments)))
            if isinstance(arguments, dict):
                return Answer("str", query % {key: escape(arguments[key]) for key in arguments})
            return Answer("str", query if arguments is None else query % escape(arguments))
        except _Refused as refused:
            return refused.answer
        except Exception as error:
            return Answer.of_error(error)

    def close(self) -> None:
        self._sessions.close()
        self._runner.close()
        self._oracle.close()


def _expected(call: Call, his: Answer) -> Answer:
    """His answer; under NO_BACKSLASH_ESCAPES as docs/differences.md lists it."""
    was_right = call.method == "escape_string" or isinstance(call.arguments[0], str)
    if was_right or "NO_BACKSLASH_ESCAPES" not in call.mode or his.kind != "str":
        return his
    return Answer("str", re.sub(r"'((?:[^'\\]|\\.)*)'", _without_backslashes, his.said, flags=re.S))


def _without_backslashes(literal: re.Match[str]) -> str:
    named = {"0": "\0", "n": "\n", "r": "\r", "Z": "\x1a"}
    text = re.sub(r"\\(.)", lambda pair: named.get(pair[1], pair[1]), literal[1], flags=re.S)
    return "'" + text.replace("'", "''") + "'"


@pytest.fixture(scope="module")
def sides(server: RunningServer) -> Iterator[Sides]:
    if not environment.reference_python().exists():
        reason = "there is no aiomysql 0.3.2: python -m tools.environment reference"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    sides = Sides(server)
    yield sides
    sides.close()


# No literal depends on the server's vendor.
pytestmark = pytest.mark.vendor("mariadb")

modes = st.sampled_from(MODES)
with_backslashes = st.sampled_from([mode for mode in MODES if "NO_BACKSLASH" not in mode])
without_backslashes = st.sampled_from([mode for mode in MODES if "NO_BACKSLASH" in mode])


def _batches(call: st.SearchStrategy[Call]) -> st.SearchStrategy[list[Call]]:
    return st.lists(call, min_size=1, max_size=_BATCH)


@given(_batches(st.builds(Call, modes, st.sampled_from(["escape", "literal"]), st.tuples(values))))
def test_literals(sides: Sides, calls: list[Call]) -> None:
    sides.compare(calls)


@given(_batches(st.builds(Call, modes, st.just("escape_string"), st.tuples(texts))))
def test_strings(sides: Sides, calls: list[Call]) -> None:
    sides.compare(calls)


@given(_batches(st.builds(Call, with_backslashes, st.just("mogrify"), statements())))
def test_statements(sides: Sides, calls: list[Call]) -> None:
    sides.compare(calls)


@given(without_backslashes, statements())
def test_statements_without_backslashes(
    sides: Sides, mode: str, statement: tuple[str, Any]
) -> None:
    """There, aiomysql's are wrong; but its way of making them is Python's own, of its literals."""
    assert sides.ours(Call(mode, "mogrify", statement)) == sides.by_python(mode, *statement)
