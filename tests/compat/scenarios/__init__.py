"""The scenarios, an area to a module."""

from __future__ import annotations

import importlib
import pkgutil

from tests.compat.recorder import Case


def all_cases() -> list[Case]:
    cases: list[Case] = []
    for found in pkgutil.iter_modules(__path__):
        cases += importlib.import_module(f"{__name__}.{found.name}").area.cases
    return cases
