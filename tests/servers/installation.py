"""A server's programs and files: the machine's own, or Debian's packages in the cache folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import apt

_CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Recipe:
    """Which packages hold a server."""

    program: str
    # None: the suite that the machine runs.
    suite: str | None
    packages: tuple[str, ...]
    # Fetched without what they depend on: the plugins live in a package with many dependencies.
    extra: tuple[str, ...] = ()


RECIPES = {
    "mariadb": Recipe("mariadbd", None, ("mariadb-server-core",), ("mariadb-server",)),
    # The newest MariaDB that Debian has: PARSEC, TLS by default, UCA 14 collations.
    "mariadb-sid": Recipe("mariadbd", "sid", ("mariadb-server-core",), ("mariadb-server",)),
    "mysql": Recipe("mysqld", "sid", ("mysql-server-core",)),
}


@dataclass(frozen=True)
class Installation:
    """A server that can be run."""

    # The words that start the program; a fetched one runs through its own dynamic loader.
    command: tuple[str, ...]
    # The folder that holds sbin, lib/mysql/plugin and share/mysql (share/mariadb since 11).
    base: Path

    @property
    def share(self) -> Path:
        renamed = self.base / "share" / "mariadb"
        return renamed if (renamed / "charsets").is_dir() else self.base / "share" / "mysql"

    @property
    def plugins(self) -> Path:
        return self.base / "lib" / "mysql" / "plugin"

    def has_plugin(self, name: str) -> bool:
        return (self.plugins / f"{name}.so").exists()

    def version(self) -> str:
        """The number that the program prints, e.g. `10.11.14`."""
        said = subprocess.run(
            [*self.command, "--no-defaults", "--version"],
            capture_output=True,
            text=True,
            check=True,
        )
        match = re.search(r"Ver (\d+\.\d+\.\d+)", said.stdout)
        if not match:
            raise apt.PackagesUnavailable(f"cannot tell the version from {said.stdout!r}")
        return match.group(1)


def cache_folder() -> Path:
    given = os.environ.get("AIOMYSQL_CACHE")
    return (Path(given) if given else _CHECKOUT / ".cache").resolve()


def obtain(kind: str) -> Installation:
    """The server `kind`, fetched if need be; raises apt.PackagesUnavailable with the reason."""
    recipe = RECIPES[kind]
    return _machines_own(recipe) or _fetched(kind, recipe)


def _machines_own(recipe: Recipe) -> Installation | None:
    """MariaDB of the machine, if it came with its plugins (Debian's core package has none)."""
    found = shutil.which(recipe.program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if recipe.suite is not None or found is None:
        return None
    program = Path(found).resolve()
    own = Installation(command=(str(program),), base=program.parents[1])
    return own if own.has_plugin("auth_ed25519") and own.share.is_dir() else None


def _fetched(kind: str, recipe: Recipe) -> Installation:
    root = cache_folder() / "servers" / kind
    with _locked(root.with_name(f"{kind}.lock")):
        if not root.exists():
            print(f"fetching {', '.join(recipe.packages)} from Debian …", flush=True)
            fresh = root.with_name(f"{kind}.new")
            shutil.rmtree(fresh, ignore_errors=True)
            apt.unpack(list(recipe.packages), recipe.suite, list(recipe.extra), fresh)
            fresh.rename(root)
    libraries = [root / "usr/lib/mysql/private"]
    for lib in (root / "lib", root / "usr/lib"):
        libraries += lib.glob("*-linux-gnu*")
    path = ":".join(str(folder) for folder in libraries if folder.is_dir())
    program = root / "usr" / "sbin" / recipe.program
    command = (str(_loader(root)), "--library-path", path, str(program))
    return Installation(command, base=root / "usr")


def _loader(root: Path) -> Path:
    for folder in ("lib", "lib64", "usr/lib", "usr/lib64"):
        for pattern in ("*-linux-gnu*/ld-linux*.so.*", "ld-linux*.so.*"):
            for path in (root / folder).glob(pattern):
                # Links in the packages are absolute and lead out of the folder.
                if not path.is_symlink():
                    return path
    raise apt.PackagesUnavailable(f"no dynamic loader among the packages in {root}")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
