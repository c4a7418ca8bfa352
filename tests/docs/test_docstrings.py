"""The reference is made of docstrings: every argument and every public method has a word there."""

from __future__ import annotations

import inspect
import re
from typing import Any

import aiomysql
import pytest

CLASSES = [
    getattr(aiomysql, name)
    for name in aiomysql.__all__
    if inspect.isclass(getattr(aiomysql, name))
    and getattr(aiomysql, name).__module__.startswith("aiomysql")
]


@pytest.mark.parametrize(
    ("signature", "docstring"),
    [
        (aiomysql.connect, aiomysql.Connection.__doc__),
        (aiomysql.create_pool, aiomysql.create_pool.__doc__),
        (aiomysql.Cursor, aiomysql.Cursor.__doc__),
    ],
    ids=["connect", "create_pool", "Cursor"],
)
def test_arguments(signature: Any, docstring: str) -> None:
    described = set(re.findall(r"^\s+(\w+): ", docstring, re.MULTILINE))
    assert set(inspect.signature(signature).parameters) <= described


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_methods(kind: type) -> None:
    assert kind.__doc__
    silent = [
        name
        for name, member in vars(kind).items()
        if not name.startswith("_")
        and (callable(member) or isinstance(member, property))
        and not inspect.isclass(member)
        and not inspect.getdoc(member)
    ]
    assert not silent
