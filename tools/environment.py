"""The virtual environments and the built extension; a step is redone when its input changed.

.venv             the library under development, with the tools of its tests
.cache/reference  aiomysql 0.3.2, which the library replaces, for comparison; for each version of
                  Python, whose messages and enums are in what it says
.cache/types      basedpyright, with what a user of the library has
.cache/docs       mkdocs, for the documentation's site
.cache/overlay    other versions of what .venv holds, to be put before it on PYTHONPATH, for each
                  version of Python
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tools.console import give_up, say

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
DOCS = ROOT / ".cache" / "docs"
TYPES = ROOT / ".cache" / "types"
OVERLAYS = ROOT / ".cache" / "overlay"
REQUIREMENTS = ROOT / "requirements"
Version = tuple[int, ...]
OWN_VERSION: Version = sys.version_info[:2]


def python_of(venv: Path) -> Path:
    return venv / "bin" / "python"


def library(bench: bool = False) -> Path:
    """The virtual environment with the library in it; returns its Python."""
    python = tools()
    if bench:
        _install(VENV, REQUIREMENTS / "bench.txt")
    _build_extension()
    return python


def tools() -> Path:
    """The virtual environment, the library in it or not; returns its Python."""
    _require_tools()
    _install(VENV, REQUIREMENTS / "dev.txt")
    return python_of(VENV)


def reference(interpreter: str = sys.executable, version: Version = OWN_VERSION) -> Path:
    """The virtual environment with aiomysql 0.3.2 on this CPython; returns its Python."""
    python = reference_python(version)
    _install(python.parents[1], REQUIREMENTS / "reference.txt", interpreter)
    return python


def reference_python(version: Version = OWN_VERSION) -> Path:
    return python_of(ROOT / ".cache" / "reference" / _dotted(version))


def documentation() -> Path:
    """The virtual environment with mkdocs; returns its Python."""
    _install(DOCS, REQUIREMENTS / "docs.txt")
    return python_of(DOCS)


def types() -> Path:
    """The virtual environment with basedpyright; returns its Python."""
    _install(TYPES, REQUIREMENTS / "types.txt")
    return python_of(TYPES)


def overlay(name: str, python: Path, version: Version) -> Path:
    """A folder with what requirements/NAME.txt lists for this Python, for PYTHONPATH."""
    requirements = REQUIREMENTS / f"{name}.txt"
    folder = OVERLAYS / _dotted(version) / name
    stamp = folder / ".stamp"
    wanted = _digest([requirements])
    if _reads(stamp) != wanted:
        say(f"installing requirements/{requirements.name} into {folder.relative_to(ROOT)}")
        shutil.rmtree(folder, ignore_errors=True)
        run([*pip(python), "--target", str(folder), "--requirement", str(requirements)])
        folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(wanted)
    return folder


def pip(python: Path) -> list[str]:
    """The beginning of a command that installs for a Python, which need not have pip itself."""
    runner = python if python.with_name("pip").exists() else python_of(VENV)
    command = [str(runner), "-m", "pip", "--python", str(python), "install"]
    return [*command, "--quiet", "--disable-pip-version-check"]


def run(command: list[str], **changes: str) -> None:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **changes}, check=False)
    if done.returncode:
        give_up(f"{' '.join(command)} failed with status {done.returncode}")


def _require_tools() -> None:
    if shutil.which("cargo") is None:
        give_up("cargo is needed to build the extension and is not on PATH")
    if shutil.which("cc") is None:
        give_up("a C compiler (cc) is needed to link the extension and is not on PATH")


def _install(venv: Path, requirements: Path, interpreter: str = sys.executable) -> None:
    _create(venv, interpreter)
    stamp = venv / f".{requirements.stem}.stamp"
    wanted = _digest([requirements])
    if _reads(stamp) == wanted:
        return
    say(f"installing requirements/{requirements.name} into {venv.relative_to(ROOT)}")
    run([*pip(python_of(venv)), "--requirement", str(requirements)])
    stamp.write_text(wanted)


def _create(venv: Path, interpreter: str) -> None:
    own = interpreter == sys.executable
    stamp = venv / ".python.stamp"
    wanted = f"{sys.version} {sys.base_prefix}" if own else interpreter
    if _reads(stamp) == wanted and python_of(venv).exists():
        return
    say(f"making {venv.relative_to(ROOT)} with {sys.version.split()[0] if own else interpreter}")
    shutil.rmtree(venv, ignore_errors=True)
    # Not every one of them can install pip.
    options = () if own else ("--without-pip",)
    done = subprocess.run([interpreter, "-m", "venv", *options, str(venv)], check=False)
    if done.returncode:
        give_up("this Python cannot make virtual environments (Debian: install python3-venv)")
    stamp.write_text(wanted)


def _build_extension() -> None:
    stamp = VENV / ".extension.stamp"
    sources = [*(ROOT / "src").rglob("*.rs")]
    sources += [ROOT / name for name in ("Cargo.toml", "Cargo.lock", "pyproject.toml")]
    wanted = _digest(sources)
    built = list((ROOT / "python" / "aiomysql").glob("_native*.so"))
    if _reads(stamp) == wanted and built:
        return
    say("building the extension (the first time takes minutes)")
    began = time.monotonic()
    # maturin looks for the virtual environment in VIRTUAL_ENV.
    run(
        [str(VENV / "bin" / "maturin"), "develop", "--release", "--locked", "--quiet"],
        VIRTUAL_ENV=str(VENV),
    )
    stamp.write_text(wanted)
    say(f"built in {time.monotonic() - began:.0f} s")


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _reads(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    library()
    if "reference" in sys.argv[1:]:
        reference()
