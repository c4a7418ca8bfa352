"""Certificates that the tests make for themselves, and servers that show them."""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path
from typing import Any

import pymysql
import trustme

from tests.servers import Server, throw_away
from tests.servers.folder import Folder as ServersFolder

HOSTS = ("localhost", "127.0.0.1")


class Folder(ServersFolder):
    """A folder that a server's account can read; what is in it is worth nothing."""

    def write(self, name: str, *blobs: trustme.Blob) -> str:
        path = self.path / name
        path.write_bytes(b"".join(blob.bytes() for blob in blobs))
        path.chmod(0o644)
        return str(path)

    def join(self, name: str, *files: str) -> str:
        """One file made of several."""
        path = self.path / name
        path.write_text("".join(Path(file).read_text() for file in files))
        path.chmod(0o644)
        return str(path)


class Authority:
    """Somebody who signs certificates."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self._name = name
        self.file = folder.write(f"{name}.pem", self._ca.cert_pem)

    def issue(self, name: str, *hosts: str, **options: Any) -> tuple[str, str]:
        """The files of a certificate and its key."""
        issued = self._ca.issue_cert(*hosts, **options)
        return (
            self._folder.write(f"{name}-cert.pem", *issued.cert_chain_pems),
            self._folder.write(f"{name}-key.pem", issued.private_key_pem),
        )


class TlsServer:
    """A server with TLS, whose certificate can be exchanged."""

    def __init__(self, kind: str, *options: str) -> None:
        self.kind = kind
        self.folder = Folder()
        self.authority = Authority(self.folder, "ca")
        self.stranger = Authority(self.folder, "stranger")
        # MySQL shows no certificate that it would not accept itself.
        accepted = self.folder.join("accepted.pem", self.authority.file, self.stranger.file)
        cert, key = self.authority.issue("server", *HOSTS)
        self.server: Server = throw_away(
            kind, (f"--ssl-ca={accepted}", f"--ssl-cert={cert}", f"--ssl-key={key}", *options)
        )
        self.server.start()
        self._changed = self._restricted = False

    def stop(self) -> None:
        self.server.stop()
        self.folder.remove()

    @property
    def vendor(self) -> str:
        return self.server.vendor

    @property
    def version_text(self) -> str:
        return self.server.version

    def connect_kwargs(self, **changes: Any) -> dict[str, Any]:
        return {**self.server.address.connect_kwargs(), **changes}

    def query(self, *statements: str) -> list[Any]:
        """Run statements as the administrator; the rows of the last."""
        connection = pymysql.connect(**self.server.address.connect_kwargs(True), autocommit=True)
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def show(self, authority: Authority, *hosts: str, **options: Any) -> None:
        """From now on show a certificate by this authority, for these hosts."""
        authority.issue("server", *hosts, **options)
        self._changed = True
        self._reload()

    def show_expired(self) -> None:
        """MySQL takes none that has expired already, so wait for it."""
        seconds = 3 if self.vendor == "mysql" else -60
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        self.show(self.authority, *HOSTS, not_after=end)
        left = end - datetime.datetime.now(datetime.timezone.utc)
        # A certificate is good to the end of its last second.
        time.sleep(max(left.total_seconds() + 1.1, 0))

    def restrict(self, versions: str) -> None:
        """MySQL: speak these versions of TLS alone, or no TLS at all."""
        self._restricted = True
        # Without a version it has no TLS to go on with, and would rather keep what it had.
        drop = "" if versions else " NO ROLLBACK ON ERROR"
        self.query(
            f"SET GLOBAL tls_version = '{versions}'",
            f"ALTER INSTANCE RELOAD TLS{drop}",
        )

    def restore(self) -> None:
        if self._restricted:
            self.query("SET GLOBAL tls_version = DEFAULT")
        if self._changed:
            self.authority.issue("server", *HOSTS)
        if self._restricted or self._changed:
            self._restricted = self._changed = False
            self._reload()

    def _reload(self) -> None:
        mysql = self.vendor == "mysql"
        self.query("ALTER INSTANCE RELOAD TLS" if mysql else "FLUSH SSL")


def write_all(folder: Path) -> None:
    """An authority's certificate, and one of a server on this machine with its key."""
    authority = trustme.CA()
    issued = authority.issue_cert(*HOSTS)
    files = {
        "ca": authority.cert_pem.bytes(),
        "cert": issued.cert_chain_pems[0].bytes(),
        "key": issued.private_key_pem.bytes(),
    }
    for name, content in files.items():
        path = folder / f"{name}.pem"
        path.write_bytes(content)
        path.chmod(0o644)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
