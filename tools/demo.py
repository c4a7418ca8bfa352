"""`make demo`: set everything up, start a throw-away MariaDB, run examples/tour.py on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.servers import Fleet
from tests.servers.process import die_with_parent
from tools import environment
from tools.console import give_up, say


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    python = environment.library()
    with Fleet(["mariadb"]) as fleet:
        for reason in fleet.missing.values():
            give_up(reason)
        address = fleet.addresses["mariadb"]
        say("examples/tour.py\n")
        return subprocess.run(
            [str(python), "examples/tour.py"],
            cwd=environment.ROOT,
            env={**os.environ, **address.example_variables()},
            preexec_fn=die_with_parent,
            check=False,
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
