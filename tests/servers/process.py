"""What makes a child process harmless: an account, a free port, an end with its parent."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import socket
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """For `preexec_fn`: the kernel kills the child when its parent goes, however it goes.

    The parent is the thread that forked, so start children from the main thread.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unprivileged_account(needs: Path) -> dict[str, Any]:
    """Arguments for `subprocess.Popen` that give up root, where the account can read `needs`."""
    if os.geteuid() != 0 or not _open_to_all(needs):
        return {}
    for name in ("mysql", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return {}


def _open_to_all(path: Path) -> bool:
    """A checkout below /root, say, is closed to everyone else."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
