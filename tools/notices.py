"""THIRD-PARTY-LICENSES.txt: the licences of what is linked into the extension, for the wheel.

`python3 -m tools.notices` writes it from `cargo metadata` and the crates' sources; `--check` fails
where it is out of date.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tools.console import give_up, say
from tools.environment import ROOT

NOTICES = ROOT / "THIRD-PARTY-LICENSES.txt"
_HEAD = """\
Besides its own code (LICENSE), the extension module aiomysql._native contains the following
software, and Rust's standard library (MIT OR Apache-2.0, https://www.rust-lang.org).
"""
_NAME = re.compile(r"(licen[cs]e|copying|notice|copyright)", re.IGNORECASE)
_CODE = {".rs", ".py", ".c", ".h", ".toml", ".json", ".sh", ".go", ".yml"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tools.notices", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    given = parser.parse_args()
    packages = linked()
    text = notices(packages)
    if not given.check:
        NOTICES.write_text(text)
        say(f"{NOTICES.name}: {len(packages)} crates, {len(text) // 1024} KiB")
    elif not NOTICES.exists() or NOTICES.read_text() != text:
        give_up(f"{NOTICES.name} is out of date: python3 -m tools.notices")
    return 0


def linked() -> list[dict[str, Any]]:
    """The crates in the extension: what it depends on, neither for building nor for its tests."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    # Fixed, so that every machine writes the same.
    command += ["--filter-platform", "x86_64-unknown-linux-gnu"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    graph = json.loads(done.stdout)
    nodes = {node["id"]: node["deps"] for node in graph["resolve"]["nodes"]}
    packages = {package["id"]: package for package in graph["packages"]}
    root = graph["resolve"]["root"]
    found, waiting = {root}, [root]
    while waiting:
        for dependency in nodes[waiting.pop()]:
            is_linked = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if is_linked and dependency["pkg"] not in found and not _is_macro(packages, dependency):
                found.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    chosen = [packages[each] for each in found - {root}]
    return sorted(chosen, key=lambda package: (package["name"], package["version"]))


def _is_macro(packages: dict[str, Any], dependency: dict[str, Any]) -> bool:
    """Procedural macros run in the compiler."""
    targets = packages[dependency["pkg"]]["targets"]
    return any("proc-macro" in target["kind"] for target in targets)


def notices(packages: list[dict[str, Any]]) -> str:
    """One section for each text, after the crates that it covers."""
    texts: dict[str, tuple[str, list[str]]] = {}
    without = []
    for package in packages:
        title = f"{package['name']} {package['version']} ({package['license']})"
        files = _files(package)
        if not files:
            authors = ", ".join(package["authors"]) or "its authors"
            without.append(f"{title}, by {authors}: {package['repository'] or ''}")
        for file in files:
            text = file.read_text(errors="replace").strip()
            # The same text comes with other line breaks.
            titles = texts.setdefault(" ".join(text.split()), (text, []))[1]
            if title not in titles:
                titles.append(title)
    parts = [_HEAD]
    if without:
        parts.append(
            "Without a licence text of their own; that of their licence stands below:\n"
            + "\n".join(without)
            + "\n"
        )
    for text, titles in texts.values():
        lines = [line.rstrip() for line in text.splitlines()]
        parts.append("\n".join([*titles, "", *lines, ""]))
    rule = "\n" + "-" * 80 + "\n\n"
    return rule.join(parts)


def _files(package: dict[str, Any]) -> list[Path]:
    """Its licence texts; of several that may be chosen from, MIT's."""
    root = Path(package["manifest_path"]).parent
    found = [
        path
        for path in sorted(root.rglob("*"))
        if _NAME.search(path.name) and path.is_file() and path.suffix not in _CODE
    ]
    own = [path for path in found if path.parent == root]
    if re.search(r"\bMIT\b(?! AND)", package["license"]) and " OR " in package["license"]:
        own = [path for path in own if "mit" in path.name.lower()] or own
    # What it has taken in from elsewhere, such as C sources.
    return own + [path for path in found if path.parent != root]


if __name__ == "__main__":
    raise SystemExit(main())
