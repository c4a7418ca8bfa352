"""What the tools print, and how they give up."""

from __future__ import annotations

from typing import NoReturn


def say(line: str) -> None:
    print(f"• {line}", flush=True)


def give_up(line: str) -> NoReturn:
    """One line that says what is missing."""
    raise SystemExit(f"✗ {line}")
