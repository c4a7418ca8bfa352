"""What a caller gave to ``execute()``, as one group for each time the statement runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union, cast

from . import exc

Group = Union[Sequence[Any], Mapping[str, Any]]


def is_mapping(value: object) -> bool:
    """Whether ``value`` gives parameters by name."""
    return hasattr(value, "keys")


def groups_of(multiparams: Sequence[Any], params: Mapping[str, Any]) -> Sequence[Group]:
    """Sort out the forms that ``execute(query, *multiparams, **params)`` takes.

    Several mappings, several sequences, or one list of them: one group each. Plain values: one
    group. Keywords count only where nothing was given by position.
    """
    if not multiparams:
        return [params] if params else []
    if len(multiparams) > 1:
        return multiparams if _is_group(multiparams[0]) else [multiparams]
    only = multiparams[0]
    if isinstance(only, (list, tuple)):
        return only if not only or _is_group(only[0]) else [only]
    return [only] if is_mapping(only) else [[only]]


def _is_group(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(
        value, (str, bytes, bytearray, memoryview)
    )


def named_only(groups: Sequence[Group]) -> Sequence[Mapping[str, Any]]:
    """The groups for a SELECT, whose parameters have names.

    Raises ``ArgumentError`` for values given by position.
    """
    for group in groups:
        if not is_mapping(group):
            raise exc.ArgumentError("Don't mix sqlalchemy SELECT clause with positional parameters")
    return cast("Sequence[Mapping[str, Any]]", groups)


def named_by_column(query: Any, groups: Sequence[Group]) -> Sequence[Mapping[str, Any]]:
    """The groups for an INSERT, UPDATE or DELETE: by position, values go to the table's columns.

    Raises ``ArgumentError`` for more values than the table has columns.
    """
    if all(is_mapping(group) for group in groups):
        return cast("Sequence[Mapping[str, Any]]", groups)
    keys = [column.key for column in query.table.columns]
    return [_by_column(keys, group) for group in groups]


def _by_column(keys: Sequence[str], values: Any) -> Mapping[str, Any]:
    if is_mapping(values):
        return values  # type: ignore[no-any-return]
    if len(values) > len(keys):
        raise exc.ArgumentError(f"{len(values)} parameters for a table of {len(keys)} columns")
    return dict(zip(keys, values))
