"""`make docs`: build the documentation's site into .cache/site; a warning is an error.

python3 -m tools.site
"""

from __future__ import annotations

import os
import subprocess

from tools import environment
from tools.console import say


def main() -> int:
    python = environment.documentation()
    # With --quiet it would not count its warnings.
    command = [str(python), "-m", "mkdocs", "build", "--strict", "--clean"]
    done = subprocess.run(
        command,
        cwd=environment.ROOT,
        # The theme praises its successor on every run.
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout)
        return 1
    say("built .cache/site/index.html")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
