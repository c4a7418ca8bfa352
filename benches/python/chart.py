"""A bar chart of one workload as SVG, drawn without any library; and what other charts share."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from benches.python.drivers import DRIVERS
from benches.python.report import NAMES
from benches.python.results import Result, Setting, median_and_spread
from benches.python.workloads import WORKLOADS

COLOURS = {
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
    legend = text(10, 42, "full colour: CPU of the client process; pale: wall time")
    return page(_WIDTH, top + 10, title, [legend, *parts])


def page(width: int, height: int, title: str, parts: list[str]) -> str:
    """A chart of these parts, below its title."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            text(10, 24, title, size=15),
            *parts,
            "</svg>\n",
        ]
    )


def _block(setting: Setting, results: list[Result], top: int, longest: float) -> Iterator[str]:
    where = f"{setting.server}, {setting.transport}, {setting.loop}"
    yield text(10, top + 18, where, weight="bold")
    top += _HEAD
    for result in sorted(results, key=lambda each: DRIVERS.index(each.driver)):
        yield text(10, top + _BAR + 4, NAMES[result.driver])
        for values, opacity in ((result.cpu, 1.0), (result.wall, 0.45)):
            middle = median_and_spread(values)[0]
            width = max(1.0, middle / longest * _TRACK)
            yield (
                f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR - 1}"'
                f' fill="{COLOURS[result.driver]}" fill-opacity="{opacity}"/>'
            )
            yield text(int(_LEFT + width + 6), top + _BAR - 4, f"{middle:.0f}")
            top += _BAR
        top += _GAP


def text(
    x: float, y: float, words: str, size: int = 12, weight: str = "normal", anchor: str = "start"
) -> str:
    style = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="#1f2937"'
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(words)}</text>'
