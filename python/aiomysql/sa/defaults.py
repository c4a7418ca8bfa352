"""Values that a table's columns give by themselves: ``default=`` and ``onupdate=`` of Python."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.schema import Column


class DefaultContext:
    """What a default that takes an argument is called with.

    It has those parts of SQLAlchemy's execution context that make sense without its engine.
    """

    def __init__(
        self, dialect: Dialect, compiled: SQLCompiler, column: Any, parameters: Mapping[str, Any]
    ) -> None:
        self.dialect = dialect
        self.compiled = compiled
        self.statement: str = compiled.string
        self.isinsert: bool = compiled.isinsert
        self.isupdate: bool = compiled.isupdate
        self.current_column = column
        self.current_parameters = parameters

    def get_current_parameters(self, isolate_multiinsert_groups: bool = True) -> Mapping[str, Any]:
        """The parameters of the row that the default is for.

        In an ``insert().values([...])`` of many rows the names of one row's parameters carry its
        number; they come without it, unless ``isolate_multiinsert_groups`` is false.
        """
        parameters = self.current_parameters
        columns = self.compiled.insert_prefetch
        if not isolate_multiinsert_groups or all(isinstance(c, Column) for c in columns):
            return parameters
        # The first row's own defaults are the only names without a number.
        row = 0 if isinstance(self.current_column, Column) else self.current_column.index + 1
        numbered = re.compile(f"(.+)_m{row}$")
        names = ((numbered.match(name), name) for name in parameters)
        values = {match.group(1): parameters[name] for match, name in names if match}
        if row == 0:
            values.update({c.key: parameters[c.key] for c in columns if isinstance(c, Column)})
        return values


class Defaults:
    """The defaults of one compiled statement."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self._compiled = compiled
        self._dialect = dialect
        prefetched: list[tuple[Any, Any]] = [(c, c.default) for c in compiled.insert_prefetch]
        prefetched += [(c, c.onupdate) for c in compiled.update_prefetch]
        self._columns = [(self._name(c), c, default) for c, default in prefetched]
        # An SQL expression that cannot stand in the statement itself: that of a primary key.
        self.expressions: list[tuple[str, ColumnElement[Any]]] = [
            (name, default.arg)
            for name, _, default in self._columns
            if getattr(default, "is_clause_element", False)
        ]

    def __bool__(self) -> bool:
        return bool(self._columns)

    def _name(self, column: Any) -> str:
        """The parameter that holds the column's value.

        In an UPDATE of several tables those of the others carry their table's name.
        """
        name: str = column.key
        target = getattr(self._compiled.statement, "table", None)
        if isinstance(column, Column) and column.table is not target:
            qualified = f"{column.table.name}_{column.key}"
            if qualified in self._compiled.binds:
                return qualified
        return name

    def fill(self, parameters: MutableMapping[str, Any]) -> None:
        """Put the value of every default but ``expressions`` into ``parameters``."""
        for name, column, default in self._columns:
            if default.is_callable:
                context = DefaultContext(self._dialect, self._compiled, column, parameters)
                parameters[name] = default.arg(context)
            elif default.is_scalar:
                parameters[name] = default.arg
