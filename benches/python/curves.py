"""Curves on logarithmic axes as SVG, a spread around each point."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from benches.python.chart import page, text

_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 230, 60, 50
_WIDTH, _HEIGHT = 800, 420


@dataclass(frozen=True)
class Point:
    x: float
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Curve:
    name: str
    colour: str
    points: list[Point]
    dashed: bool = False


class _Axis:
    """A logarithmic scale, from a value to its place."""

    def __init__(self, values: list[float], start: float, end: float) -> None:
        self._low, self._high = math.log10(min(values)), math.log10(max(values))
        self._start, self._length = start, end - start

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self._low) / (self._high - self._low or 1.0)
        return self._start + share * self._length

    def marks(self) -> Iterator[float]:
        """1, 2, 5, 10, … where there are few decades, else the decades."""
        first, last = math.floor(self._low), math.ceil(self._high)
        steps = (1, 2, 5) if last - first <= 3 else (1,)
        for decade in range(first, last + 1):
            for step in steps:
                if self._low - 1e-9 <= math.log10(step) + decade <= self._high + 1e-9:
                    yield step * 10.0**decade


def svg(title: str, x_title: str, y_title: str, curves: list[Curve]) -> str:
    points = [point for curve in curves for point in curve.points]
    x = _Axis([point.x for point in points], _LEFT, _WIDTH - _RIGHT)
    extremes = [value for point in points for value in (point.low, point.high)]
    y = _Axis([0.9 * min(extremes), 1.1 * max(extremes)], _HEIGHT - _BOTTOM, _TOP)
    parts = [*_grid(x, y)]
    for number, curve in enumerate(curves):
        parts += _drawn(curve, x, y)
        parts += _legend(curve, _TOP + 8 + 20 * number)
    parts.append(text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, x_title, anchor="middle"))
    parts.append(text(10, 44, y_title))
    return page(_WIDTH, _HEIGHT, title, parts)


def _grid(x: _Axis, y: _Axis) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for mark in x.marks():
        yield _line(x(mark), _TOP, x(mark), bottom, "#e5e7eb")
        yield text(
            x(mark),
            bottom + 18,
            f"{mark:,g}" if mark < 1e6 else f"{mark:,.0f}",
            11,
            anchor="middle",
        )
    for mark in y.marks():
        yield _line(_LEFT, y(mark), right, y(mark), "#e5e7eb")
        yield text(_LEFT - 6, y(mark) + 4, f"{mark:g}", 11, anchor="end")
    yield _line(_LEFT, bottom, right, bottom, "#6b7280")
    yield _line(_LEFT, _TOP, _LEFT, bottom, "#6b7280")


def _drawn(curve: Curve, x: _Axis, y: _Axis) -> Iterator[str]:
    path = " ".join(f"{x(point.x):.1f},{y(point.middle):.1f}" for point in curve.points)
    style = f'fill="none" stroke="{curve.colour}" stroke-width="2"{_dashes(curve.dashed)}'
    yield f'<polyline points="{path}" {style}/>'
    for point in curve.points:
        yield _line(x(point.x), y(point.low), x(point.x), y(point.high), curve.colour)
        centre = f'cx="{x(point.x):.1f}" cy="{y(point.middle):.1f}"'
        yield f'<circle {centre} r="3" fill="{curve.colour}"/>'


def _legend(curve: Curve, top: int) -> Iterator[str]:
    left = _WIDTH - _RIGHT + 16
    yield _line(left, top, left + 26, top, curve.colour, 2, curve.dashed)
    yield text(left + 32, top + 4, curve.name)


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 1, dashed: bool = False
) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{_dashes(dashed)}/>'


def _dashes(dashed: bool) -> str:
    return ' stroke-dasharray="6 4"' if dashed else ""
