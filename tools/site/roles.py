"""An extension of griffe: the roles of docstrings, :class:`Cursor`, become plain code."""

from __future__ import annotations

import re
from typing import Any

# Installed in the documentation's environment alone.
import griffe  # type: ignore[import-not-found]

_ROLE = re.compile(r":\w+:`~?([^`]+)`")


class Roles(griffe.Extension):  # type: ignore[misc]
    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = _ROLE.sub(r"`\1`", obj.docstring.value)
