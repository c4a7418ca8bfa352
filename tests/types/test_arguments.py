"""`create_pool()` is typed with the arguments of `connect()`, which are listed a second time."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import get_args, get_origin

import aiomysql
from aiomysql import _types


def test_the_pools_arguments_are_those_of_connect() -> None:
    tree = ast.parse(Path(_types.__file__).read_text())
    (listed,) = (
        each
        for each in ast.walk(tree)
        if isinstance(each, ast.ClassDef) and each.name == "ConnectArguments"
    )
    types = {
        str(each.target.id): ast.unparse(each.annotation)
        for each in listed.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    of_the_pool = inspect.signature(aiomysql.create_pool).parameters
    assert types == {
        name: parameter.annotation
        for name, parameter in inspect.signature(aiomysql.connect).parameters.items()
        if name not in of_the_pool
    }


def test_classes_can_be_subscripted_at_run_time() -> None:
    class Rows(aiomysql.SSCursor[int]):
        pass

    assert Rows.__bases__ == (aiomysql.SSCursor,)
    assert get_origin(aiomysql.Pool[aiomysql.DictCursor]) is aiomysql.Pool
    assert get_args(aiomysql.Connection[Rows]) == (Rows,)
