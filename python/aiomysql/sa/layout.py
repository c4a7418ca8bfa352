"""The columns of a result: their names, where to find them, and how their values are converted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, cast

from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.expression import ClauseElement, ColumnClause

from . import exc

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import ColumnElement

Description = Sequence[tuple[Any, ...]]
Processor = Callable[[Any], Any]

_AMBIGUOUS = -1


class Layout:
    """How the rows of one kind of result are read.

    ``columns`` are the compiler's: for each column of the result its key, its name, what it
    stands for, and its type. They go with the cursor's columns one by one, unless their numbers
    differ (a ``*`` in the text) or ``by_name`` is set: then by name.
    """

    def __init__(
        self,
        description: Description,
        columns: Sequence[tuple[Any, ...]],
        dialect: Optional[Dialect],
        *,
        by_name: bool = False,
    ) -> None:
        self.keys: tuple[str, ...] = tuple(column[0] for column in description)
        # Where names, numbers and columns are; a name that several columns have is in `_repeated`.
        self.places: dict[Any, int] = {}
        self._repeated: set[str] = set()
        for index, name in enumerate(self.keys):
            self.places[index] = index
            if self.places.setdefault(name, index) != index:
                self._repeated.add(name)
        for name in self._repeated:
            del self.places[name]
        self._sources: list[list[ColumnClause[Any]]] = [[] for _ in self.keys]
        self.processors: list[tuple[int, Processor]] = []
        by_name = by_name or len(columns) != len(self.keys)
        for number, column in enumerate(columns):
            place = self.places.get(column[0]) if by_name else number
            if place is not None and dialect is not None:
                self._add(place, column, description[place][1], dialect)

    def _add(self, index: int, column: tuple[Any, ...], type_code: Any, dialect: Dialect) -> None:
        _, _, targets, type_ = column
        for target in targets:
            if isinstance(target, ClauseElement):
                self.places.setdefault(target, index)
            if isinstance(target, ColumnClause):
                self._sources[index].append(target)
        processor = type_.dialect_impl(dialect).result_processor(dialect, type_code)
        if processor is not None:
            self.processors.append((index, processor))

    def convert(self, row: Sequence[Any]) -> Sequence[Any]:
        """The values of a row of the cursor, as their types have them."""
        if not self.processors:
            return row
        values = list(row)
        for index, processor in self.processors:
            values[index] = processor(values[index])
        return values

    def locate(self, key: object) -> int:
        """The place of the column that ``key`` (a name, a number or a column) stands for.

        Raises ``NoSuchColumnError`` if there is none, ``InvalidRequestError`` if there are several.
        """
        place = self.find(key)
        if place is None:
            raise exc.NoSuchColumnError(
                f"Could not locate column in row for column '{key}'"
            ) from None
        if place == _AMBIGUOUS:
            raise exc.InvalidRequestError(
                f"Ambiguous column name '{key}' in result set! "
                "try 'use_labels' option on select statement."
            ) from None
        return place

    def find(self, key: object) -> Optional[int]:
        """As ``locate()``, but None for no column and a negative number for several."""
        place = self.places.get(key)
        if place is not None:
            return place
        if isinstance(key, ClauseElement):
            return self._find_related(key)
        return _AMBIGUOUS if key in self._repeated else None

    def _find_related(self, key: ClauseElement) -> Optional[int]:
        """A column that the statement does not name itself.

        It may be the origin of one that is there, as a table's column is of its alias's, or
        belong to a statement that is plain text. Another table's column of the same name is not
        it.
        """
        name = getattr(key, "name", None)
        related = [
            index
            for index, sources in enumerate(self._sources)
            if any(source.shares_lineage(cast("ColumnElement[Any]", key)) for source in sources)
        ]
        same_name = [index for index in related if self.keys[index] == name]
        if len(same_name or related) == 1:
            return (same_name or related)[0]
        if related:
            return _AMBIGUOUS
        place = self.find(name) if isinstance(name, str) else None
        if place is None or place == _AMBIGUOUS or getattr(key, "table", None) is None:
            return place
        foreign = any(source.table is not None for source in self._sources[place])
        return None if foreign else place
