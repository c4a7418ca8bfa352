"""What a scenario sees of the library, and how it writes down what happens.

It runs under aiomysql 0.3.2 as well as under this library, so it uses nothing that only one of
them has. Everything that is written down is text: equal for equal values of equal types.
"""

from __future__ import annotations

import hashlib
import inspect
import itertools
import re
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Callable

#: Longer texts are written down as their beginning, length and digest.
LONGEST = 600

Work = Callable[["Api"], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """One scenario: `area` and `name` identify it in reports."""

    area: str
    name: str
    work: Work


class Area:
    """The scenarios of one area, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cases: list[Case] = []

    def scenario(self, work: Work) -> Work:
        """Decorates `async def name(api)`."""
        self.add(work.__name__, work)
        return work

    def add(self, name: str, work: Work) -> None:
        if any(case.name == name for case in self.cases):
            raise ValueError(f"two scenarios of {self.name} are called {name}")
        self.cases.append(Case(self.name, name, work))

    def statements(self, *statements: str, **arguments: Any) -> None:
        """Each statement is a scenario: it runs, and its result is written down."""
        for sql in statements:
            self.add(sql, _running(sql, arguments))


def _running(sql: str, arguments: dict[str, Any]) -> Work:
    async def work(api: Api) -> None:
        cursor = await api.cursor(**arguments)
        await api.execute(cursor, sql)

    return work


class Api:
    """One scenario's access to the library and to the server."""

    def __init__(self, module: ModuleType, arguments: dict[str, Any], vendor: str) -> None:
        self.aiomysql = module
        self.vendor = vendor
        self.arguments = arguments
        self.steps: list[tuple[str, str]] = []
        self._made: list[Any] = []
        self._numbers = itertools.count(1)

    @property
    def is_mariadb(self) -> bool:
        return self.vendor == "mariadb"

    # What scenarios work with.

    async def connect(self, **arguments: Any) -> Any:
        connection = await self.aiomysql.connect(**{**self.arguments, **arguments})
        self._made.append(connection)
        return connection

    async def cursor(self, *classes: type, **arguments: Any) -> Any:
        """A cursor on a connection of its own."""
        connection = await self.connect(**arguments)
        return await connection.cursor(*classes)

    async def pool(self, **arguments: Any) -> Any:
        pool = await self.aiomysql.create_pool(**{**self.arguments, **arguments})
        self._made.append(pool)
        return pool

    async def run(self, *statements: str) -> None:
        """Run statements that only prepare the ground, on a connection of their own."""
        connection = await self.aiomysql.connect(**{**self.arguments, "autocommit": True})
        try:
            for sql in statements:
                await connection.query(sql)
        finally:
            connection.close()

    async def table(self, columns: str, options: str = "") -> str:
        """Make a table; its name is the same in every run."""
        name = f"t{next(self._numbers)}"
        await self.run(f"DROP TABLE IF EXISTS {name}", f"CREATE TABLE {name} ({columns}) {options}")
        return name

    async def clean_up(self) -> None:
        for made in reversed(self._made):
            if isinstance(made, self.aiomysql.Pool):
                made.terminate()
                await made.wait_closed()
            else:
                made.close()

    # What they write down.

    def note(self, label: str, value: Any) -> None:
        self.steps.append((label, text_of(value)))

    async def attempt(self, label: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call, await where there is something to await, and write down what came of it."""
        try:
            value = call(*args, **kwargs)
            if inspect.isawaitable(value):
                value = await value
        except Exception as error:
            self.note(label, error)
            return None
        self.note(label, value)
        return value

    def call(self, label: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call without awaiting: written down is whether the call itself raises."""
        try:
            value = call(*args, **kwargs)
        except Exception as error:
            self.note(label, error)
            return None
        self.note(label, "awaitable" if inspect.isawaitable(value) else value)
        return value

    async def execute(self, cursor: Any, sql: Any, args: Any = None) -> None:
        """Execute, and write down everything that the cursor then shows."""
        await self.attempt("execute", cursor.execute, sql, args)
        self.state(cursor)
        await self.attempt("fetchall", cursor.fetchall)

    def state(self, cursor: Any, label: str = "") -> None:
        for name in ("description", "rowcount", "lastrowid", "rownumber"):
            self.note(f"{label}{name}", getattr(cursor, name))

    async def rows(self, connection: Any, sql: str, label: str = "rows") -> None:
        cursor = await connection.cursor()
        await cursor.execute(sql)
        self.note(label, await cursor.fetchall())


def text_of(value: Any) -> str:
    if isinstance(value, BaseException):
        return _short(_text_of_error(value))
    return _short(re.sub(r" at 0x[0-9a-f]+", "", repr(value)))


def _text_of_error(error: BaseException) -> str:
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}({', '.join(map(repr, error.args))})"


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{text[:LONGEST]}… ({len(text)} characters, {digest})"


def scrub(steps: Iterable[tuple[str, str]], replacements: dict[str, str]) -> list[list[str]]:
    """Put neutral words in place of what differs from run to run."""
    scrubbed = []
    for label, text in steps:
        for old, new in replacements.items():
            text = text.replace(old, new)
        scrubbed.append([label, text])
    return scrubbed
