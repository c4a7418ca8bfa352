"""Rust's tests of encoding and decoding, and the fuzzers' corpus, under valgrind: no read or write
outside a live block. CPython itself uses uninitialised values, so they are not looked for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tools import environment, libpython
from tools.console import give_up

_TESTS = ("decode", "encode", "fuzz")


def main() -> int:
    variables = {**os.environ, **libpython.environment(environment.tools())}
    build = ["cargo", "test", "--locked", "--quiet", "--lib", "--no-run"]
    built = subprocess.run(
        [*build, "--message-format", "json"],
        cwd=environment.ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    (program,) = {each["executable"] for each in messages if each.get("executable")}
    # Every object a block of its own, and the corpus alone.
    variables |= {"PYTHONMALLOC": "malloc", "AIOMYSQL_FUZZ_INPUTS": "0"}
    command = ["valgrind", "--quiet", "--undef-value-errors=no", "--error-exitcode=99", program]
    done = subprocess.run(
        [*command, "--quiet", "--test-threads=1", *_TESTS],
        cwd=environment.ROOT,
        env=variables,
        check=False,
    )
    if done.returncode:
        give_up("valgrind found an error, or a test failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
