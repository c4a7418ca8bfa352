"""The rules of deny.toml for licences and sources, where cargo-deny is not installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    text = Path("deny.toml").read_text()
    # Python 3.9 has no TOML reader; these two lists of strings are all that is needed.
    allowed = _strings(text, "allow")
    banned = re.findall(r'crate = "([^"]+)"', text)
    packages = _packages()
    # One registry, and nothing from git.
    registries = {each["source"] for each in packages if each["source"]}
    faults = [f"crates from several places: {sorted(registries)}"] if len(registries) > 1 else []
    for package in packages:
        name, licence, source = package["name"], package["license"], package["source"]
        if not allows(licence or "", allowed):
            faults.append(f"{name}: the licence {licence!r} is not on the list of deny.toml")
        if name in banned:
            faults.append(f"{name}: banned by deny.toml")
        if source and not source.startswith("registry+"):
            faults.append(f"{name}: comes from {source}")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(packages)} crates looked at, {len(faults)} faults")
    return 1 if faults else 0


def allows(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be satisfied by the allowed licences."""
    # `/` is an old spelling of OR; AND binds closer than OR.
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    parser = _Parser(words, allowed)
    return bool(words) and parser.alternatives() and not parser.words


class _Parser:
    def __init__(self, words: list[str], allowed: set[str]) -> None:
        self.words = words
        self._allowed = allowed

    def alternatives(self) -> bool:
        held = [self._all_of()]
        while self._take("OR"):
            held.append(self._all_of())
        return any(held)

    def _all_of(self) -> bool:
        held = [self._one()]
        while self._take("AND"):
            held.append(self._one())
        return all(held)

    def _one(self) -> bool:
        if self._take("("):
            held = self.alternatives()
            return self._take(")") and held
        name = self.words.pop(0) if self.words else ""
        if self._take("WITH"):
            name += " WITH " + (self.words.pop(0) if self.words else "")
        return name in self._allowed

    def _take(self, word: str) -> bool:
        if self.words and self.words[0] == word:
            self.words.pop(0)
            return True
        return False


def _strings(text: str, key: str) -> set[str]:
    found = re.search(rf"^{key} = \[(.*?)\]", text, re.DOTALL | re.MULTILINE)
    return set(re.findall(r'"([^"]+)"', found.group(1))) if found else set()


def _packages() -> list[dict[str, Any]]:
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    packages: list[dict[str, Any]] = json.loads(done.stdout)["packages"]
    return packages


if __name__ == "__main__":
    raise SystemExit(main())
