"""A bar chart of one workload as SVG, drawn without any library."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from benches.python.drivers import DRIVERS
from benches.python.report import NAMES
from benches.python.results import Result, Setting, median_and_spread
from benches.python.workloads import WORKLOADS

_COLOURS = {
    "ours": "#c2410c",
    "asyncmy": "#2563eb",
    "reference": "#64748b",
    "mysqlclient": "#a3a3a3",
    "bare": "#d4d4d4",
}
_LEFT, _BAR, _GAP, _HEAD, _TRACK, _WIDTH = 130, 16, 6, 30, 470, 700


def svg(results: list[Result], workload: str) -> str:
    """CPU (full colour) and wall time (pale) of each driver, a block for each setting."""
    chosen = [result for result in results if result.setting.workload == workload]
    settings = list(dict.fromkeys(result.setting for result in chosen))
    longest = max(median_and_spread(r.wall)[0] for r in chosen)
    parts: list[str] = []
    top = 56
    for setting in settings:
        block = [result for result in chosen if result.setting == setting]
        parts.extend(_block(setting, block, top, longest))
        top += _HEAD + len(block) * (2 * _BAR + _GAP)
    work = WORKLOADS[workload]
    title = f"{work.title}: CPU and wall time, {work.unit} (shorter is better)"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top + 10}"'
            f' viewBox="0 0 {_WIDTH} {top + 10}" font-family="sans-serif" font-size="12">',
            f'<rect width="{_WIDTH}" height="{top + 10}" fill="#ffffff"/>',
            _text(10, 24, title, size=15),
            _text(10, 42, "full colour: CPU of the client process; pale: wall time"),
            *parts,
            "</svg>\n",
        ]
    )


def _block(setting: Setting, results: list[Result], top: int, longest: float) -> Iterator[str]:
    where = f"{setting.server}, {setting.transport}, {setting.loop}"
    yield _text(10, top + 18, where, weight="bold")
    top += _HEAD
    for result in sorted(results, key=lambda each: DRIVERS.index(each.driver)):
        yield _text(10, top + _BAR + 4, NAMES[result.driver])
        for values, opacity in ((result.cpu, 1.0), (result.wall, 0.45)):
            middle = median_and_spread(values)[0]
            width = max(1.0, middle / longest * _TRACK)
            yield (
                f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR - 1}"'
                f' fill="{_COLOURS[result.driver]}" fill-opacity="{opacity}"/>'
            )
            yield _text(int(_LEFT + width + 6), top + _BAR - 4, f"{middle:.0f}")
            top += _BAR
        top += _GAP


def _text(x: int, y: int, text: str, size: int = 12, weight: str = "normal") -> str:
    style = f'font-size="{size}" font-weight="{weight}" fill="#1f2937"'
    return f'<text x="{x}" y="{y}" {style}>{escape(text)}</text>'
