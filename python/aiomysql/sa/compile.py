"""Statements of SQLAlchemy, compiled to SQL text and parameters for the driver.

SQLAlchemy's compiler, types and dialect do the work through their public interfaces. Three names
are private, as nothing public gives the same; the tests hold them on all supported versions:

- ``SQLCompiler._result_columns``: which column and type each column of a result has;
- ``ClauseElement._generate_cache_key``: the key of a statement's shape, for the compiled cache
  (SQLAlchemy >= 1.4; on 1.3 the statement object itself is the key);
- ``SQLCompiler._process_parameters_for_postcompile``: IN lists, on SQLAlchemy 1.4 only, which
  has no public ``construct_expanded_state`` yet.
"""

from collections import OrderedDict
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Optional

from sqlalchemy import select
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

from . import exc
from .defaults import Defaults
from .layout import Description, Layout, Processor

# SQLAlchemy 1.3 tells no statement's shape, and renders IN lists when it compiles.
LEGACY = not hasattr(ClauseElement, "_generate_cache_key")

CompiledCache = MutableMapping[Any, "Statement"]
Values = dict[str, Any]


class RecentlyUsed(OrderedDict[Any, "Statement"]):
    """A cache of limited size, which forgets what was not used for longest."""

    def __init__(self, limit: int = 500) -> None:
        super().__init__()
        self._limit = limit

    def get(self, key: Any, default: Any = None) -> Any:
        """The statement kept under ``key``, which thereby becomes the most recently used."""
        found = super().get(key, default)
        if found is not default:
            self.move_to_end(key)
        return found

    def __setitem__(self, key: Any, statement: "Statement") -> None:
        super().__setitem__(key, statement)
        if len(self) > self._limit:
            self.popitem(last=False)


class Statement:
    """A compiled statement, without the values that the caller's clause carried."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self._compiled = compiled
        self._dialect = dialect
        self._late = bool(
            getattr(compiled, "post_compile_params", ())
            or getattr(compiled, "literal_execute_params", ())
        )
        self._escaped: Mapping[str, str] = getattr(compiled, "escaped_bind_names", None) or {}
        self._processors = self._bind_processors()
        self._layouts: dict[tuple[tuple[str, int], ...], Layout] = {}
        self.defaults: Defaults = Defaults(compiled, dialect)

    def _bind_processors(self) -> dict[str, Processor]:
        """For each parameter whose type converts values: what converts them."""
        found: dict[str, Processor] = {}
        for bind, name in self._compiled.bind_names.items():
            processor = bind.type.dialect_impl(self._dialect).bind_processor(self._dialect)
            if processor is not None:
                found[self._escaped.get(name, name)] = processor
        return found

    def collect(self, params: Mapping[str, Any], carried: Optional[Sequence[Any]]) -> Values:
        """The statement's parameters by name, before conversion.

        ``params`` are the caller's; ``carried`` the values that the caller's clause holds itself,
        where this statement was compiled for another clause of the same shape. Raises
        SQLAlchemy's ``InvalidRequestError`` where a parameter has no value.
        """
        options: dict[str, Any] = {}
        if not LEGACY:
            options = {"extracted_parameters": carried, "escape_names": False}
        values = dict(self._compiled.construct_params(dict(params), **options))
        if self.defaults:
            self.defaults.fill(values)
        return values

    def render(self, values: Values) -> tuple[str, Values]:
        """The SQL text and the converted parameters, for the values that ``collect()`` gave."""
        text, processors = self._compiled.string, self._processors
        if self._late:
            text, values, more = self._expand(values)
            processors = {**processors, **more}
        if self._escaped:
            values = {self._escaped.get(name, name): value for name, value in values.items()}
        for name, processor in processors.items():
            if name in values:  # not a list, whose elements have names of their own by now
                values[name] = processor(values[name])
        return text, values

    def render_many(self, rows: Sequence[Values]) -> tuple[str, list[Values]]:
        """As ``render()``, for one text with many rows of parameters.

        Raises ``ArgumentError`` if the text depends on the values, as that of an IN list does.
        """
        if self._late:
            raise exc.ArgumentError(
                "a statement whose text depends on its parameters (IN lists, literal_execute) "
                "takes one set of parameters at a time"
            )
        return self._compiled.string, [self.render(values)[1] for values in rows]

    def _expand(self, values: Values) -> tuple[str, Values, Mapping[str, Processor]]:
        """Write IN lists and literal parameters into the text."""
        expand = getattr(self._compiled, "construct_expanded_state", None)
        if expand is not None:
            state = expand(values)
            return state.statement, dict(state.parameters), state.processors
        state = self._compiled._process_parameters_for_postcompile(values)  # changes values
        return state.statement, values, state.processors

    def layout(self, description: Description) -> Layout:
        """How rows with the cursor's ``description`` are read."""
        key = tuple((column[0], column[1]) for column in description)
        layout = self._layouts.get(key)
        if layout is None:
            columns = self._compiled._result_columns
            by_name = not getattr(self._compiled.statement, "positional", True)
            layout = Layout(description, columns, self._dialect, by_name=by_name)
            self._layouts[key] = layout
        return layout


def compile_clause(
    query: Any,
    dialect: Dialect,
    column_keys: Optional[Sequence[str]],
    many: bool,
    cache: Optional[CompiledCache],
) -> tuple[Statement, Optional[Sequence[Any]], Mapping[str, Any]]:
    """Compile ``query``, or take it from ``cache``.

    Returns the statement, and the values that ``query`` itself holds: those of its literals, in
    order (None where the statement was compiled for this very clause), and those of its
    ``params()``.
    """
    key = _cache_key(query) if cache is not None else None
    if cache is None or key is None:
        return _compile(query, dialect, column_keys, many), None, {}
    where = (dialect, key[0], tuple(column_keys or ()), many)
    statement = cache.get(where)
    if statement is None:
        cache[where] = statement = _compile(query, dialect, column_keys, many, cache_key=key)
    return statement, key[1], (key[2] or {}) if len(key) > 2 else {}


def _cache_key(query: Any) -> Optional[Sequence[Any]]:
    """What tells the shape of ``query``, and the values it holds; None for no such thing."""
    if LEGACY:
        return (query, None)
    key: Optional[Sequence[Any]] = query._generate_cache_key()
    return key


def _compile(
    query: Any,
    dialect: Dialect,
    column_keys: Optional[Sequence[str]],
    many: bool,
    **options: Any,
) -> Statement:
    if LEGACY:
        options = {"inline": many}
    else:
        options["for_executemany"] = many
    compiled = query.compile(dialect=dialect, column_keys=column_keys, **options)
    return Statement(compiled, dialect)


def select_of(expression: Any) -> Any:
    """A SELECT of one expression."""
    make: Any = select
    return make([expression]) if LEGACY else make(expression)
