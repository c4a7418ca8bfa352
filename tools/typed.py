"""basedpyright: the package and its typed usage, then how complete the public annotations are.

python3 -m tools.typed
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tools import environment
from tools.console import say

_PACKAGE = environment.ROOT / "python" / "aiomysql"


def main() -> int:
    python = environment.types()
    pyright = str(python.with_name("basedpyright"))
    # pyproject.toml says what it looks at, and how strictly.
    if subprocess.run([pyright], cwd=environment.ROOT, check=False).returncode:
        return 1
    return _completeness(python, pyright)


def _completeness(python: Path, pyright: str) -> int:
    """Every public name has a type that all checkers agree on.

    The package has to be installed for this, and nothing but its sources is looked at.
    """
    found = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    installed = Path(found.stdout.strip()) / "aiomysql"
    shutil.rmtree(installed, ignore_errors=True)
    shutil.copytree(_PACKAGE, installed, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    done = subprocess.run(
        [pyright, "--verifytypes", "aiomysql", "--ignoreexternal"],
        cwd=environment.ROOT / ".cache",
        # It looks for packages with the first Python on PATH.
        env={**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    score = re.search(r"Type completeness score: (.*)", done.stdout)
    if done.returncode or score is None:
        print(done.stdout)
        return 1
    say(f"public names with a complete type: {score[1]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
