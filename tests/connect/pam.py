"""PAM for a server of the test's: a service that knows one password, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.connect.certificates import Folder
from tests.servers.server import PASSWORD

SERVICE = "aiomysql"

_CHECK = f"""#!/bin/sh
read -r said
test "$said" = {PASSWORD}
"""

_STACK = """auth required pam_exec.so expose_authtok quiet /bin/sh {check}
account required pam_permit.so
"""

# Below the folder of libraries, whose name may tell the machine's kind.
_MODULE = "*/security/pam_exec.so"


class Pam:
    """Linux-PAM reads /etc alone; a server that is started with our library reads here."""

    def __init__(self) -> None:
        self._folder = Folder()
        path = self._folder.path
        check = path / "check"
        check.write_text(_CHECK)
        check.chmod(0o755)
        (path / SERVICE).write_text(_STACK.format(check=check))
        # Why there is no PAM on this machine.
        self.missing = ""
        self._library = self._compile(path / "pam_service.so")

    def remove(self) -> None:
        self._folder.remove()

    @contextmanager
    def preloaded(self) -> Iterator[None]:
        """Servers that are started meanwhile have it, where it is to be had."""
        changes = {"LD_PRELOAD": self._library, "AIOMYSQL_TEST_PAM": str(self._folder.path)}
        before = {name: os.environ.get(name) for name in changes}
        if self._library:
            os.environ.update(changes)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value

    def _compile(self, library: Path) -> str:
        source = Path(__file__).with_name("pam_service.c")
        compiler = shutil.which("cc")
        if compiler is None:
            self.missing = "a C compiler (cc) is missing"
        elif not any(any(Path(lib).glob(_MODULE)) for lib in ("/lib", "/usr/lib")):
            self.missing = "PAM's module pam_exec is missing"
        if self.missing or compiler is None:
            return ""
        command = [compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
        subprocess.run(command, check=True)
        library.chmod(0o755)
        return str(library)
