"""docs/servers.md is as the tests wrote it, and nothing in it is empty without a reason."""

from __future__ import annotations

from tests.page.model import FILE, NAMES, UNKNOWN, Page
from tests.page.tables import INTRODUCTION, TABLES


def committed() -> tuple[str, Page]:
    text = FILE.read_text(encoding="utf-8")
    return text, Page.parse(text, TABLES)


def test_it_is_written_by_the_tests() -> None:
    """Whoever changes it by hand, or its tables without it, is told."""
    text, page = committed()
    assert page.render(INTRODUCTION, TABLES) == text
    assert list(page.heads) == list(NAMES)


def test_every_cell_is_filled_or_has_a_reason() -> None:
    text, page = committed()
    assert UNKNOWN not in page.cells.values()
    for table in TABLES:
        for row in table.rows():
            for kind in NAMES:
                seen = page.cells.get((table.title, row, kind))
                hole = table.hole(row, kind)
                assert (seen is None) == (hole is not None), (table.title, row, kind)
    assert f" {UNKNOWN} |" not in text
