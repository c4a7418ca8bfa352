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
    command = [str(python), "-m", "mkdocs", "build", "--strict", "--quiet"]
    # The theme praises its successor on every run.
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    if subprocess.run(command, cwd=environment.ROOT, env=quiet, check=False).returncode:
        return 1
    say("built .cache/site/index.html")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
