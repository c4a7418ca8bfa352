"""A throw-away server: a subclass for each vendor says how its data folder is made and set up."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, ClassVar

from .address import Address
from .folder import Folder
from .installation import Installation, obtain
from .process import die_with_parent, free_port, unprivileged_account

PASSWORD = "throw-away"
READY_SECONDS = 90.0


class ServerFailed(Exception):
    """The server did not start; the message ends with its log."""


class Server:
    """One server of our own on loopback, with root's password known and a database `test`."""

    vendor: ClassVar[str]

    def __init__(self, kind: str | None = None, options: tuple[str, ...] = ()) -> None:
        self._installation: Installation = obtain(kind or self.vendor)
        self._extra_options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.version = self._installation.version()
        self._account = unprivileged_account(self._installation.share)
        self._folder = Folder()
        self.folder = self._folder.path
        self.port = free_port()
        try:
            for name in ("data", "files", "run"):
                (self.folder / name).mkdir()
                self._give(self.folder / name)
            self._initialise()
            self._write("init.sql", "\n".join(self._set_up()) + "\n")
        except BaseException:
            self._folder.remove()
            raise

    # How the vendors differ.

    def _initialise(self) -> None:
        """Fill the data folder."""
        raise NotImplementedError

    def _vendor_options(self) -> list[str]:
        raise NotImplementedError

    def _accounts(self) -> list[str]:
        """Statements for the accounts that this server's plugins allow."""
        raise NotImplementedError

    # What users of a server see.

    @property
    def socket(self) -> str:
        return str(self.folder / "run" / "sock")

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.port, "root", PASSWORD, "test", self.socket)

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    @property
    def log(self) -> str:
        path = self.folder / "run" / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start without waiting: several servers come up at the same time."""
        if self._process is None:
            self._process = self._run([*self._options(), f"--init-file={self.folder}/init.sql"])

    def wait_ready(self) -> None:
        """Wait for the unix socket's greeting: it is opened after the set-up has run."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._greets():
            if self._process is None or self._process.poll() is not None:
                raise ServerFailed(f"{self.vendor} stopped at start:\n{self.log[-4000:]}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.vendor} is not ready:\n{self.log[-4000:]}")
            time.sleep(0.02)

    def terminate(self) -> None:
        """Shut down as an administrator would; the data stays for another start."""
        if self._process is not None:
            self._process.terminate()
            self._wait_for_end()

    def kill(self) -> None:
        """SIGKILL: clients see their connections break without a word."""
        if self._process is not None:
            self._process.kill()
            self._wait_for_end()

    def restart(self) -> None:
        self.terminate()
        self.start()

    def stop(self) -> None:
        """Gone, with its data. Nothing of it is worth an orderly end."""
        self.kill()
        self._folder.remove()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Shared by the vendors.

    def _options(self) -> list[str]:
        files = self._installation
        return [
            "--no-defaults",
            *([] if self._account or os.geteuid() else ["--user=root"]),
            f"--basedir={files.base}",
            f"--datadir={self.folder}/data",
            f"--tmpdir={self.folder}/files",
            f"--secure-file-priv={self.folder}/files",
            f"--lc-messages-dir={files.share}",
            f"--character-sets-dir={files.share}/charsets",
            f"--plugin-dir={files.plugins}",
            f"--socket={self.socket}",
            f"--pid-file={self.folder}/run/server.pid",
            f"--log-error={self.folder}/run/server.log",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--local-infile=1",
            "--max-allowed-packet=64M",
            "--max-connections=600",
            "--performance-schema=ON",
            # The data need not outlive a crash of the machine.
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=OFF",
            "--innodb-buffer-pool-size=128M",
            *self._vendor_options(),
            *self._extra_options,
        ]

    def _set_up(self) -> list[str]:
        grants = ["'root'@'localhost'", "'root'@'%'"]
        return [
            "CREATE DATABASE IF NOT EXISTS test CHARACTER SET utf8mb4;",
            "CREATE USER IF NOT EXISTS 'root'@'%';",
            *(f"ALTER USER {who} IDENTIFIED BY '{PASSWORD}';" for who in grants),
            *(f"GRANT ALL ON *.* TO {who} WITH GRANT OPTION;" for who in grants),
            *self._accounts(),
        ]

    def _account_statements(self, name: str, identified: str) -> list[str]:
        return [
            f"CREATE USER IF NOT EXISTS '{name}'@'%' IDENTIFIED {identified};",
            f"GRANT ALL ON test.* TO '{name}'@'%';",
        ]

    def _run(self, options: list[str], **streams: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._installation.command, *options],
            cwd=self.folder,
            preexec_fn=die_with_parent,
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.DEVNULL,
                "stderr": subprocess.DEVNULL,
                **streams,
                **self._account,
            },
        )

    def _run_to_end(self, options: list[str], **streams: Any) -> None:
        process = self._run(options, **streams)
        if process.wait():
            raise ServerFailed(f"{self.vendor} cannot make its data folder:\n{self.log[-4000:]}")

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def _give(self, path: Path) -> None:
        if self._account:
            os.chown(path, self._account["user"], self._account["group"])

    def _greets(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(self.socket)
                return len(probe.recv(5)) == 5
            except OSError:
                return False

    def _wait_for_end(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None
        Path(self.socket).unlink(missing_ok=True)
