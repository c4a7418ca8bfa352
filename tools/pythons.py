"""CPythons to build wheels for: those of the machine, and one that only Debian's sid has."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers import PackagesUnavailable, apt
from tests.servers.installation import cache_folder

# Every minor version that the package supports.
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
_SUITE = "sid"


@dataclass(frozen=True)
class Interpreter:
    version: str
    path: Path


def find(version: str) -> Interpreter:
    """A CPython of this minor version: on PATH, of pyenv, or fetched from Debian.

    Raises PackagesUnavailable where there is none to be had.
    """
    for path in _candidates(version):
        if _is_usable(path, version):
            return Interpreter(version, path)
    return Interpreter(version, _fetched(version))


def _candidates(version: str) -> list[Path]:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [folder / "bin" / "python" for folder in pyenv.glob(f"versions/{version}.*")]
    on_path = shutil.which(f"python{version}")
    return [*sorted(found), *([Path(on_path)] if on_path else [])]


def _is_usable(path: Path, version: str) -> bool:
    question = (
        "import ensurepip, sys, sysconfig; "
        "print(sys.implementation.name, '%d.%d' % sys.version_info[:2], "
        "sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"
    )
    try:
        done = subprocess.run([path, "-c", question], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.split() == ["cpython", version, "0"]


def _fetched(version: str) -> Path:
    """Debian's packages, unpacked; a script runs it through the packages' own dynamic loader."""
    root = cache_folder() / "pythons" / version
    script = root / "usr" / "bin" / "python"
    if not script.exists():
        fresh = root.with_name(f"{version}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)
        packages = [f"python{version}-dev", f"python{version}-venv"]
        print(f"fetching {', '.join(packages)} from Debian …", flush=True)
        apt.unpack(packages, _SUITE, [], fresh)
        fresh.rename(root)
        script.unlink(missing_ok=True)
        script.write_text(_SCRIPT.format(root=root, version=version))
        script.chmod(0o755)
    if not _is_usable(script, version):
        raise PackagesUnavailable(f"Debian's python{version} does not run here")
    return script


# argv[0] stays the script's (or the link's to it, in a virtual environment): from it Python finds
# its library.
_SCRIPT = """#!/bin/sh
libraries=$(echo {root}/usr/lib/*-linux-gnu)
loader=$(echo "$libraries"/ld-linux*.so.*)
exec "$loader" --library-path "$libraries" --argv0 "$0" {root}/usr/bin/python{version} "$@"
"""
