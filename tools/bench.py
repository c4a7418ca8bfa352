"""`make bench`: set everything up, start throw-away servers, run a measurement from benches/python.

make bench ARGS="--workload point --rounds 7"   one workload, about a minute
make bench ARGS=pinned                          the pinned rig
make bench ARGS=syscalls                        system calls for each query
make bench ARGS=scale                           cost as rows and connections grow
make bench ARGS=fairness                        what a busy connection leaves to the loop
make bench ARGS=stall                           the loop's longest stalls while rows arrive
make bench ARGS=footprint                       memory of a connection, importing, connecting
make bench ARGS=instructions                    instructions for each query and row
make bench ARGS=criterion                       decoding and encoding alone, in Rust
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.servers import VENDORS, Fleet
from tests.servers.process import die_with_parent
from tools import environment, libpython
from tools.console import say

_MEASUREMENTS = (
    "run",
    "pinned",
    "scale",
    "fairness",
    "footprint",
    "syscalls",
    "stall",
    "instructions",
)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    words = sys.argv[1:]
    name = words.pop(0) if words and words[0] in _MEASUREMENTS else "run"
    python = environment.library(bench=True)
    if words[:1] == ["criterion"]:
        return _criterion(python, words[1:])
    command = [str(python), "-m", f"benches.python.{name}", *words]
    if "--help" in words:
        return subprocess.run(command, cwd=environment.ROOT, check=False).returncode
    reference = environment.reference()
    _add_mysqlclient(reference)
    with Fleet(list(VENDORS) if name == "run" else ["mariadb"]) as fleet:
        for reason in fleet.missing.values():
            say(reason)
        return subprocess.run(
            command,
            cwd=environment.ROOT,
            env=fleet.environment(),
            preexec_fn=die_with_parent,
            check=False,
        ).returncode


def _criterion(python: Path, words: list[str]) -> int:
    """benches/*.rs, which embed the interpreter and find PyMySQL in its environment."""
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([str(python), "-c", question], stdout=subprocess.PIPE, check=True)
    variables = {**libpython.environment(python), "PYTHONPATH": answer.stdout.decode().strip()}
    return subprocess.run(
        ["cargo", "bench", "--locked", "--bench", "decode", "--bench", "encode", "--", *words],
        cwd=environment.ROOT,
        env={**os.environ, **variables},
        check=False,
    ).returncode


def _add_mysqlclient(python: Path) -> None:
    """It comes as source alone; where it cannot be built the benches do without."""
    if subprocess.run([str(python), "-c", "import MySQLdb"], stderr=subprocess.DEVNULL).returncode:
        if shutil.which("mariadb_config") is None and not _installed_headers():
            say("left out: mysqlclient (building it needs libmariadb-dev and pkg-config)")
            return
        requirement = environment.REQUIREMENTS / "mysqlclient.txt"
        pip = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(requirement)]
        if subprocess.run(pip).returncode:
            say("left out: mysqlclient (it does not build here)")


def _installed_headers() -> bool:
    """As root on Debian, what the build needs is one command away."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    say("installing libmariadb-dev and pkg-config, to build mysqlclient")
    command = ["apt-get", "install", "-qq", "--yes", "libmariadb-dev", "pkg-config"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
