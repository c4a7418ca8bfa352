"""What aiomysql says to calls that a pipe brings: `escape`, `literal`, `escape_string`, `mogrify`.

python -m tests.compat.oracle mysql://user:password@host:port/db

Runs under aiomysql 0.3.2, whose answers the library's own are compared with. A request is a pickled
list of calls, an answer a pickled list of what came of each.
"""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.servers.address import Address

#: The session's sql_mode changes how text is escaped, or must not.
MODES = ("", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES,ANSI_QUOTES")


class Call(NamedTuple):
    """A method of a connection of this sql_mode (`mogrify`: of its cursor), and its arguments."""

    mode: str
    method: str
    arguments: tuple[Any, ...]


class Answer(NamedTuple):
    """The text that came back; or the error's type and arguments."""

    kind: str
    said: Any

    @classmethod
    def of_error(cls, error: Exception) -> Answer:
        return cls(f"{type(error).__module__}.{type(error).__qualname__}", str(error))


class Sessions:
    """A connection for each sql_mode, and its cursor."""

    def __init__(self) -> None:
        self._connections: dict[str, Any] = {}
        self._cursors: dict[str, Any] = {}

    async def open(self, arguments: dict[str, Any]) -> None:
        import aiomysql

        for mode in MODES:
            connection = await aiomysql.connect(**{**arguments, "sql_mode": repr(mode)})
            # The status that tells of NO_BACKSLASH_ESCAPES comes with an answer.
            await connection.query("DO 1")
            self._connections[mode] = connection
            self._cursors[mode] = await connection.cursor()

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    def answer(self, call: Call) -> Answer:
        made = self._cursors if call.method == "mogrify" else self._connections
        try:
            said = getattr(made[call.mode], call.method)(*call.arguments)
        except Exception as error:
            return Answer.of_error(error)
        return Answer(type(said).__name__, said)


class Oracle:
    """The process with aiomysql 0.3.2."""

    def __init__(self, python: Path, folder: Path, url: str) -> None:
        self._process = subprocess.Popen(
            [str(python), "-m", "tests.compat.oracle", url],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, calls: Sequence[Call]) -> list[Answer]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump(list(calls), self._process.stdin)
        self._process.stdin.flush()
        answers: list[Answer] = pickle.load(self._process.stdout)
        return answers

    def close(self) -> None:
        self._process.communicate()


async def main() -> None:
    sessions = Sessions()
    await sessions.open(Address.parse(sys.argv[1]).connect_kwargs())
    while True:
        try:
            calls: list[Call] = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        pickle.dump([sessions.answer(call) for call in calls], sys.stdout.buffer)
        sys.stdout.buffer.flush()
    sessions.close()


if __name__ == "__main__":
    # Pickles name the module that both sides import, not `__main__`.
    from tests.compat import oracle

    asyncio.run(oracle.main())
