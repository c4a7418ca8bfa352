"""libpython for `cargo test`: an extension module never links it, a test program must."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.servers import apt
from tests.servers.installation import cache_folder

_QUESTION = """
import json, sys, sysconfig
names = ["LIBDIR", "MULTIARCH", "LDVERSION"]
paths = [sys.base_prefix, sysconfig.get_path("purelib")]
print(json.dumps([*paths, *(sysconfig.get_config_var(n) or "" for n in names)]))
"""


def environment(python: Path) -> dict[str, str]:
    """What cargo needs to link and run programs that embed `python`.

    Raises PackagesUnavailable where its library is neither here nor to be had.
    """
    answer = subprocess.run([str(python), "-c", _QUESTION], stdout=subprocess.PIPE, check=True)
    prefix, packages, libdir, multiarch, version = json.loads(answer.stdout)
    name = f"libpython{version}.so"
    for folder in (Path(libdir), Path(libdir) / multiarch):
        if (folder / name).exists():
            return _variables(python, packages, folder)
    if prefix != "/usr":
        raise apt.PackagesUnavailable(f"the Python in {prefix} came without {name}")
    return _variables(python, packages, _fetched(version, name))


def _variables(python: Path, packages: str, folder: Path) -> dict[str, str]:
    # The C compiler that links reads LIBRARY_PATH; a change of RUSTFLAGS would rebuild the world.
    # A program that embeds Python knows nothing of the virtual environment.
    found = {"PYO3_PYTHON": str(python), "PYTHONPATH": packages}
    for name in ("LIBRARY_PATH", "LD_LIBRARY_PATH"):
        found[name] = ":".join(filter(None, [str(folder), os.environ.get(name)]))
    return found


def _fetched(version: str, name: str) -> Path:
    root = cache_folder() / f"libpython{version}"
    if not root.exists():
        fresh = root.with_name(f"{root.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        apt.unpack([], None, [f"libpython{version}", f"libpython{version}-dev"], fresh)
        fresh.rename(root)
    for library in root.glob(f"usr/lib/*/{name}"):
        return library.parent
    raise apt.PackagesUnavailable(f"Debian's libpython{version}-dev holds no {name}")
