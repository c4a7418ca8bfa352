"""python -m tests.servers: run a command, or wait, with real servers up."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from typing import NoReturn

from .address import KINDS, VENDORS, variable
from .fleet import Fleet
from .installation import RECIPES, obtain
from .process import die_with_parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    fetch = actions.add_parser("fetch", help="fetch the packages, start nothing")
    fetch.add_argument("kinds", nargs="*", choices=[*RECIPES, []], metavar="KIND")
    serve = actions.add_parser("serve", help="start servers and wait for Ctrl-C")
    run = actions.add_parser("run", help="start servers, run COMMAND (after --), stop them")
    for action in (serve, run):
        action.add_argument("vendors", nargs="*", choices=[*KINDS, []], metavar="KIND")
    words, command = _split(sys.argv[1:])
    given = parser.parse_args(words)
    # SIGTERM unwinds the stack as Ctrl-C does, so that the servers stop.
    signal.signal(signal.SIGTERM, _leave)
    if given.action == "fetch":
        for kind in given.kinds or VENDORS:
            print(kind, obtain(kind).version())
        return 0
    with Fleet(given.vendors or list(VENDORS)) as fleet:
        for reason in fleet.missing.values():
            print(reason, file=sys.stderr)
        if fleet.missing:
            return 1
        try:
            return _wait(fleet) if given.action == "serve" else _run(command, fleet)
        except KeyboardInterrupt:
            return 130


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _wait(fleet: Fleet) -> NoReturn:
    for vendor, address in fleet.addresses.items():
        print(f"export {variable(vendor)}='{address.url}'", flush=True)
    while True:
        signal.pause()


def _run(command: list[str], fleet: Fleet) -> int:
    with subprocess.Popen(command, env=fleet.environment(), preexec_fn=die_with_parent) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            raise


def _leave(*_: object) -> NoReturn:
    raise SystemExit(143)


if __name__ == "__main__":
    raise SystemExit(main())
