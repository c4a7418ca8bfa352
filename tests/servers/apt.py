"""Debian packages, unpacked into a folder: nothing is installed and apt's own state is not touched.

apt runs with a private configuration: its own lists, its own cache, an empty status file (so that
every library comes along) and sources that repeat the machine's own mirror for the wanted suite.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The settings of the machine that a download may need; its hooks and preferences stay out.
_KEPT_SETTINGS = re.compile(r"Acquire::(https?|ForceIPv[46]|Check-Valid-Until|Proxy-Auto-Detect)\b")


class PackagesUnavailable(Exception):
    """Why Debian's packages cannot be had on this machine, in one line."""


@dataclass(frozen=True)
class Source:
    """One entry of apt's sources."""

    uris: str
    suites: tuple[str, ...]
    components: str
    # Signed-By and the like, as lines of a deb822 stanza.
    options: tuple[str, ...]

    def stanza(self, suites: tuple[str, ...]) -> str:
        lines = ["Types: deb", f"URIs: {self.uris}", f"Suites: {' '.join(suites)}"]
        return "\n".join([*lines, f"Components: {self.components}", *self.options]) + "\n"

    def looks_official(self) -> bool:
        return any("debian-archive" in option for option in self.options)


def unpack(packages: list[str], suite: str | None, extra: list[str], folder: Path) -> None:
    """Put `packages` with all that they need, and `extra` alone, below `folder`.

    `suite` None means the release that the machine runs.
    """
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise PackagesUnavailable(f"there is no {tool} to fetch packages with")
    work = folder.with_name(folder.name + ".apt")
    environment = _private_configuration(work, suite)
    _run(["apt-get", "-qq", "update"], environment, work)
    options = ["-qq", "--yes", "--no-install-recommends", "--download-only"]
    if packages:
        _run(["apt-get", *options, "install", *packages], environment, work)
    archives = list((work / "cache" / "archives").glob("*.deb"))
    if extra:
        _run(["apt-get", "-qq", "download", *extra], environment, work)
        archives += work.glob("*.deb")
    folder.mkdir(parents=True, exist_ok=True)
    for archive in sorted(archives):
        _run(["dpkg", "--extract", str(archive), str(folder)], environment, work)
    shutil.rmtree(work)


def _private_configuration(work: Path, suite: str | None) -> dict[str, str]:
    shutil.rmtree(work, ignore_errors=True)
    for part in ("state/lists/partial", "cache/archives/partial"):
        (work / part).mkdir(parents=True)
    (work / "status").touch()
    (work / "debian.sources").write_text(_stanzas(suite))
    settings = {
        "Dir::State": f"{work}/state",
        "Dir::State::status": f"{work}/status",
        "Dir::Cache": f"{work}/cache",
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::parts": "/dev/null",
        "Dir::Etc::sourcelist": f"{work}/debian.sources",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "true",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    lines = [f'{name} "{value}";' for name, value in settings.items()]
    configuration = work / "apt.conf"
    configuration.write_text("\n".join([*lines, *_machine_settings()]) + "\n")
    return {**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C"}


def _machine_settings() -> list[str]:
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False)
    return [line for line in dump.stdout.splitlines() if _KEPT_SETTINGS.match(line)]


def _stanzas(suite: str | None) -> str:
    codename = _codename()
    sources = list(_machine_sources())
    archives = [source for source in sources if codename in source.suites]
    archives.sort(key=lambda source: not source.looks_official())
    if not archives:
        raise PackagesUnavailable(f"apt's sources name no Debian archive for {codename}")
    main = archives[0]
    if suite is not None:
        return main.stanza((suite,))
    # The updates of the release come from the same hands: same key, suites named after it.
    own = [source for source in sources if source.options == main.options]
    stanzas = []
    for source in own:
        suites = tuple(s for s in source.suites if s.split("-")[0].split("/")[0] == codename)
        if suites:
            stanzas.append(source.stanza(suites))
    return "\n".join(stanzas)


def _codename() -> str:
    try:
        text = Path("/etc/os-release").read_text()
    except OSError:
        text = ""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if fields.get("ID", "").strip('"') != "debian" or "VERSION_CODENAME" not in fields:
        raise PackagesUnavailable("this machine does not run a release of Debian")
    return fields["VERSION_CODENAME"].strip('"')


def _machine_sources() -> Iterator[Source]:
    etc = Path("/etc/apt")
    parts = etc / "sources.list.d"
    for path in [etc / "sources.list", *sorted(parts.glob("*.list"))]:
        if path.exists():
            yield from _one_line_entries(path.read_text())
    for path in sorted(parts.glob("*.sources")):
        yield from _deb822_entries(path.read_text())


def _one_line_entries(text: str) -> Iterator[Source]:
    pattern = re.compile(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)")
    names = {"signed-by": "Signed-By", "trusted": "Trusted"}
    for line in text.splitlines():
        match = pattern.match(line.strip())
        if not match:
            continue
        given, uri, suite, components = match.groups()
        pairs = [pair.partition("=") for pair in (given or "").split()]
        options = tuple(f"{names[n.lower()]}: {v}" for n, _, v in pairs if n.lower() in names)
        yield Source(uri, (suite,), components.strip(), options)


def _deb822_entries(text: str) -> Iterator[Source]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n[ \t]*\n", "\n".join(lines)):
        fields = {}
        # A line that begins with a blank carries on the one before it (an inline key does).
        for field in re.split(r"\n(?=\S)", stanza.strip("\n")):
            name, colon, value = field.partition(":")
            if colon:
                fields[name.strip().lower()] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled") == "no":
            continue
        options = []
        for name, value in fields.items():
            if name in ("signed-by", "trusted"):
                options.append(f"{name.title()}: {value}")
        suites = tuple(fields.get("suites", "").split())
        yield Source(fields.get("uris", ""), suites, fields.get("components", ""), tuple(options))


def _run(command: list[str], environment: dict[str, str], folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stdout.strip().splitlines() or ["no message"])[-1]
        raise PackagesUnavailable(f"{' '.join(command[:2])} failed: {last}")
