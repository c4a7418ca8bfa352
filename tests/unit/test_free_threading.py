"""The extension does not say that it can do without the GIL: that has not been tried."""

from __future__ import annotations

import ctypes
import sys

import pytest
from aiomysql import _native

GIL = 4  # Py_mod_gil
USED = None  # Py_MOD_GIL_USED, a null pointer


class Slot(ctypes.Structure):
    _fields_ = (("slot", ctypes.c_int), ("value", ctypes.c_void_p))


class Definition(ctypes.Structure):
    """PyModuleDef, up to its slots."""

    _fields_ = (
        ("object", ctypes.c_char * object.__basicsize__),
        ("init", ctypes.c_void_p),
        ("index", ctypes.c_ssize_t),
        ("copy", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("doc", ctypes.c_char_p),
        ("size", ctypes.c_ssize_t),
        ("methods", ctypes.c_void_p),
        ("slots", ctypes.POINTER(Slot)),
    )


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the declaration is of Python 3.13")
def test_free_threading_is_not_declared() -> None:
    function = ctypes.PyDLL(_native.__file__).PyInit__native
    function.restype = ctypes.POINTER(Definition)
    definition = function().contents
    assert definition.name == b"_native"
    slots = {}
    for each in definition.slots:
        if each.slot == 0:
            break
        slots[each.slot] = each.value
    assert slots[GIL] is USED
