"""`make demo`: set everything up, start a throw-away MariaDB, run examples/tour.py on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack

from tests.servers import Fleet
from tests.servers.folder import Folder
from tests.servers.process import die_with_parent
from tools import environment
from tools.console import give_up, say


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    python = environment.library()
    with ExitStack() as running:
        certificates = Folder()
        running.callback(certificates.remove)
        # trustme makes them, which is at home in the virtual environment.
        environment.run([str(python), "-m", "tests.connect.certificates", str(certificates.path)])
        files = {name: f"{certificates.path}/{name}.pem" for name in ("ca", "cert", "key")}
        options = tuple(f"--ssl-{name}={file}" for name, file in files.items())
        fleet = running.enter_context(Fleet(["mariadb"], options))
        for reason in fleet.missing.values():
            give_up(reason)
        variables = fleet.addresses["mariadb"].example_variables()
        if not fleet.is_given:
            variables["MYSQL_SSL_CA"] = files["ca"]
        say("examples/tour.py\n")
        return subprocess.run(
            [str(python), "examples/tour.py"],
            cwd=environment.ROOT,
            env={**os.environ, **variables},
            preexec_fn=die_with_parent,
            check=False,
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
