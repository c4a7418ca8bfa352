"""`make fuzz`: millions of hostile inputs, guided by which regions of our code they reach.

The targets are tests of the library (src/fuzz). rustc, of any channel, makes our crate count the
regions it runs through; what reaches a new one is kept in src/fuzz/corpus.
"""

from __future__ import annotations

import argparse
import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path

from tools import environment, libpython
from tools.console import give_up, say

#: Put before rustc, for this crate and not for its dependencies.
_WRAPPER = """#!/bin/sh
rustc=$1
shift
case " $* " in
    *" --crate-name aiomysql "*) set -- "$@" -C instrument-coverage --cfg coverage_counters ;;
esac
exec "$rustc" "$@"
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tools.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each target (1000000)")
    parser.add_argument("--seed", type=int, help="of the generator (default: a new one)")
    parser.add_argument("target", nargs="*", help="rows, interpolation, … (default: all)")
    given = parser.parse_args()
    seed = given.seed or secrets.randbits(63)
    python = environment.tools()
    say(f"{given.inputs} inputs for each target, seed {seed}")
    names = [f"fuzz_{name}" for name in given.target] or ["fuzz"]
    command = ["cargo", "test", "--locked", "--quiet", "--lib", "--profile", "fuzz", "--", *names]
    variables = {
        **libpython.environment(python),
        "AIOMYSQL_FUZZ_INPUTS": str(given.inputs),
        "AIOMYSQL_FUZZ_SEED": str(seed),
        "RUSTC_WORKSPACE_WRAPPER": str(_wrapper()),
        # The counters are read in the process; nothing is to be written at its end.
        "LLVM_PROFILE_FILE": os.devnull,
    }
    done = subprocess.run(
        [*command, "--nocapture", "--test-threads=1"],
        cwd=environment.ROOT,
        env={**os.environ, **variables},
        check=False,
    )
    if done.returncode:
        give_up("an input was found, printed above; keep it in src/fuzz/corpus")
    return 0


def _wrapper() -> Path:
    path = environment.ROOT / "target" / "count-regions.sh"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_WRAPPER)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


if __name__ == "__main__":
    sys.exit(main())
