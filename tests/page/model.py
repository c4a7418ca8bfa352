"""A page of tables with one column for each server, as text and back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "docs" / "servers.md"

# The kinds of servers in the order of the columns.
NAMES = {"mariadb": "MariaDB", "mariadb-sid": "MariaDB", "mysql": "MySQL"}

Row = tuple[str, ...]

# In a cell that nobody has filled and that has no reason to be empty.
UNKNOWN = "?"


def series(kind: str, version: str) -> str:
    """The head of a column, e.g. `MariaDB 10.11`: smaller steps change nothing here."""
    return f"{NAMES[kind]} {'.'.join(version.split('.')[:2])}"


@dataclass(frozen=True)
class Hole:
    """Cells that no test can fill, and why. `row` has a pattern for each of the row's names."""

    reason: str
    row: Row
    kinds: tuple[str, ...] = tuple(NAMES)

    def covers(self, row: Row, kind: str) -> bool:
        return kind in self.kinds and all(map(fnmatchcase, row, self.row))


@dataclass(frozen=True)
class Table:
    """A table of the page: its rows are the product of its `keys`."""

    title: str
    about: str
    keys: dict[str, tuple[str, ...]]
    holes: tuple[Hole, ...] = ()

    def rows(self) -> Iterator[Row]:
        return itertools.product(*self.keys.values())

    def reasons(self) -> list[str]:
        return list(dict.fromkeys(hole.reason for hole in self.holes))

    def hole(self, row: Row, kind: str) -> int | None:
        """The number of the reason why there is nothing at this place."""
        for hole in self.holes:
            if hole.covers(row, kind):
                return self.reasons().index(hole.reason)
        return None


@dataclass
class Page:
    """What the tests saw: a column's head for each kind, and the text of each cell."""

    heads: dict[str, str] = field(default_factory=dict)
    cells: dict[tuple[str, Row, str], str] = field(default_factory=dict)

    def render(self, introduction: str, tables: list[Table]) -> str:
        parts = [introduction.strip(), *(self._table(table) for table in tables)]
        return "\n\n".join(parts) + "\n"

    def _table(self, table: Table) -> str:
        kinds = [kind for kind in NAMES if kind in self.heads]
        heads = [*table.keys, *(self.heads[kind] for kind in kinds)]
        lines = [f"## {table.title}", "", table.about.strip(), ""]
        lines += [_line(heads), "|" + "---|" * len(heads)]
        holes: set[int] = set()
        for row in table.rows():
            cells = []
            for kind in kinds:
                number = table.hole(row, kind)
                text = self.cells.get((table.title, row, kind))
                if text is None and number is not None:
                    holes.add(number)
                    text = f"({_letter(number)})"
                cells.append(text or UNKNOWN)
            lines.append(_line([*row, *cells]))
        notes = [f"({_letter(number)}) {table.reasons()[number]}" for number in sorted(holes)]
        return "\n".join([*lines, *(f"\n{note}" for note in notes)])

    @classmethod
    def parse(cls, text: str, tables: list[Table]) -> Page:
        page = cls()
        for part in text.split("\n## ")[1:]:
            title = part.split("\n", 1)[0]
            table = next(each for each in tables if each.title == title)
            lines = [_cells(line) for line in part.split("\n") if line.startswith("|")]
            width = len(table.keys)
            page.heads = dict(zip(NAMES, lines[0][width:]))
            for line in lines[2:]:
                row = tuple(line[:width])
                for kind, cell in zip(NAMES, line[width:]):
                    if not (cell.startswith("(") or cell == UNKNOWN):
                        page.cells[title, row, kind] = cell
        return page


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def _letter(number: int) -> str:
    return chr(ord("a") + number)
