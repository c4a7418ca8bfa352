"""docs/servers.md: tests tell what they saw, and it must be what the page says.

`pytest tests/connect tests/charsets --write-servers-page` writes the page anew.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Callable

import pytest

from tests.page.model import FILE, Page, Row, Table, series
from tests.page.tables import INTRODUCTION, TABLES

SWITCH = "--write-servers-page"
_WRITTEN = pytest.StashKey[Page]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(SWITCH, action="store_true", help="write docs/servers.md from what tests see")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_WRITTEN] = Page()


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[[Table, Any, Row, str], None]:
    """`record(table, server, row, outcome)`: a cell of the page.

    A server of another series than the page's is not compared: what it answers may differ.
    """
    written = request.config.stash[_WRITTEN] if request.config.getoption(SWITCH) else None

    def see(table: Table, server: Any, row: Row, outcome: str) -> None:
        assert row in table.rows(), f"{row} is not a row of {table.title!r}"
        head = series(server.kind, server.version_text)
        if written is not None:
            written.heads[server.kind] = head
            written.cells[table.title, row, server.kind] = outcome
            return
        page = _committed()
        if page.heads.get(server.kind) == head:
            said = page.cells.get((table.title, row, server.kind))
            assert outcome == said, f"{table.title}, {row} on {head}: docs/servers.md differs"

    return see


@cache
def _committed() -> Page:
    return Page.parse(FILE.read_text(encoding="utf-8"), TABLES)


def pytest_sessionfinish(session: pytest.Session) -> None:
    written = session.config.stash[_WRITTEN]
    if written.cells:
        # What this run did not look at stays as it is.
        before = _committed() if FILE.exists() else Page()
        page = Page({**before.heads, **written.heads}, {**before.cells, **written.cells})
        FILE.write_text(page.render(INTRODUCTION, TABLES), encoding="utf-8")
