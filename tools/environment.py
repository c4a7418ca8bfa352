"""The virtual environments and the built extension; a step is redone when its input changed.

.venv             the library under development, with the tools of its tests
.cache/reference  aiomysql 0.3.2, which the library replaces, for comparison
.cache/types      basedpyright, with what a user of the library has
.cache/docs       mkdocs, for the documentation's site
.cache/overlay    other versions of what .venv holds, to be put before it on PYTHONPATH
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
REFERENCE = ROOT / ".cache" / "reference"
DOCS = ROOT / ".cache" / "docs"
TYPES = ROOT / ".cache" / "types"
REQUIREMENTS = ROOT / "requirements"


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


def reference() -> Path:
    """The virtual environment with aiomysql 0.3.2; returns its Python."""
    _install(REFERENCE, REQUIREMENTS / "reference.txt")
    return python_of(REFERENCE)


def documentation() -> Path:
    """The virtual environment with mkdocs; returns its Python."""
    _install(DOCS, REQUIREMENTS / "docs.txt")
    return python_of(DOCS)


def types() -> Path:
    """The virtual environment with basedpyright; returns its Python."""
    _install(TYPES, REQUIREMENTS / "types.txt")
    return python_of(TYPES)


def overlay(name: str) -> Path:
    """A folder with what requirements/NAME.txt lists, for PYTHONPATH."""
    requirements = REQUIREMENTS / f"{name}.txt"
    folder = ROOT / ".cache" / "overlay" / name
    stamp = folder / ".stamp"
    wanted = f"{sys.version} {_digest([requirements])}"
    if _reads(stamp) != wanted:
        say(f"installing requirements/{requirements.name} into {folder.relative_to(ROOT)}")
        shutil.rmtree(folder, ignore_errors=True)
        pip = [str(python_of(VENV)), "-m", "pip", "install", "--quiet", "--target", str(folder)]
        run([*pip, "--disable-pip-version-check", "--requirement", str(requirements)])
        folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(wanted)
    return folder


def run(command: list[str], **changes: str) -> None:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **changes}, check=False)
    if done.returncode:
        give_up(f"{' '.join(command)} failed with status {done.returncode}")


def _require_tools() -> None:
    if shutil.which("cargo") is None:
        give_up("cargo is needed to build the extension and is not on PATH")
    if shutil.which("cc") is None:
        give_up("a C compiler (cc) is needed to link the extension and is not on PATH")


def _install(venv: Path, requirements: Path) -> None:
    _create(venv)
    stamp = venv / f".{requirements.stem}.stamp"
    wanted = _digest([requirements])
    if _reads(stamp) == wanted:
        return
    say(f"installing requirements/{requirements.name} into {venv.relative_to(ROOT)}")
    pip = [str(python_of(venv)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--requirement", str(requirements)])
    stamp.write_text(wanted)


def _create(venv: Path) -> None:
    stamp = venv / ".python.stamp"
    wanted = f"{sys.version} {sys.base_prefix}"
    if _reads(stamp) == wanted and python_of(venv).exists():
        return
    say(f"making {venv.relative_to(ROOT)} with Python {sys.version.split()[0]}")
    shutil.rmtree(venv, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(venv)], check=False)
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


def _reads(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    library()
    if "reference" in sys.argv[1:]:
        reference()
