"""The results as a Markdown table: medians, their spread, and ours as a share of asyncmy."""

from __future__ import annotations

from benches.python.drivers import DRIVERS
from benches.python.results import Result, Setting, median_and_spread
from benches.python.workloads import WORKLOADS

NAMES = {
    "ours": "aiomysql (this)",
    "asyncmy": "asyncmy",
    "reference": "aiomysql 0.3.2",
    "mysqlclient": "mysqlclient",
    "bare": "the loop alone",
}


def markdown(results: list[Result], about: dict[str, str]) -> str:
    lines = [f"{name}: {value}  " for name, value in about.items()]
    lines.append("")
    lines.append(
        "Medians ± half the distance between the quartiles; peak: memory beyond the start."
    )
    settings = list(dict.fromkeys(result.setting for result in results))
    for workload in dict.fromkeys(setting.workload for setting in settings):
        work = WORKLOADS[workload]
        lines += ["", f"### {work.title} ({work.unit})", ""]
        lines.append("| server, transport, loop | driver | CPU | wall | peak MB |")
        lines.append("|---|---|---:|---:|---:|")
        for setting in settings:
            if setting.workload == workload:
                lines += _rows(setting, results)
    return "\n".join(lines) + "\n"


def _rows(setting: Setting, results: list[Result]) -> list[str]:
    found = {result.driver: result for result in results if result.setting == setting}
    where = f"{setting.server}, {setting.transport}, {setting.loop}"
    lines = []
    for driver in DRIVERS:
        if driver in found:
            each = found[driver]
            peak = "" if each.peak_mb is None else f"{each.peak_mb:.0f}"
            cells = f"{figure(each.cpu)} | {figure(each.wall)} | {peak}"
            lines.append(f"| {where} | {NAMES[driver]} | {cells} |")
    if "ours" in found and "asyncmy" in found:
        ours, peer = found["ours"], found["asyncmy"]
        cells = f"**{ratio(ours.cpu, peer.cpu):.2f}** | **{ratio(ours.wall, peer.wall):.2f}** |"
        lines.append(f"| {where} | **ours / asyncmy** | {cells} |")
    return lines


def ratio(ours: tuple[float, ...], peer: tuple[float, ...]) -> float:
    """The median of the rounds' own ratios: rounds lie side by side in time."""
    pairs = [mine / other for mine, other in zip(ours, peer)]
    return median_and_spread(tuple(pairs))[0]


def figure(rounds: tuple[float, ...]) -> str:
    middle, spread = median_and_spread(rounds)
    digits = 0 if middle >= 100 else 1 if middle >= 10 else 2
    return f"{middle:.{digits}f} ± {spread:.0%}"
