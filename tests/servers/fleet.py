"""Several servers at once: the user's own where the environment names them, else throw-away."""

from __future__ import annotations

import os
import sys
from types import TracebackType

from .address import Address, from_environment, variable
from .apt import PackagesUnavailable
from .mariadb import MariaDB
from .mysql import MySQL
from .server import Server, ServerFailed


def throw_away(kind: str, options: tuple[str, ...] = ()) -> Server:
    """A server of the kind `mariadb`, `mariadb-sid` or `mysql`, not yet started."""
    return MySQL(kind, options) if kind == "mysql" else MariaDB(kind, options)


class Fleet:
    """A context in which the wanted servers run. `missing` says why one does not, in a line."""

    def __init__(self, vendors: list[str], options: tuple[str, ...] = ()) -> None:
        """`options` are for the throw-away servers' command lines."""
        self._vendors = vendors
        self._options = options
        self._started: list[Server] = []
        self.addresses: dict[str, Address] = {}
        self.missing: dict[str, str] = {}

    def __enter__(self) -> Fleet:
        try:
            self._launch()
            for server in self._started:
                server.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        while self._started:
            self._started.pop().stop()

    @property
    def is_given(self) -> bool:
        """All servers are the user's own."""
        return not self._started

    def environment(self) -> dict[str, str]:
        """The environment for a child process that is to use these servers."""
        urls = {variable(vendor): address.url for vendor, address in self.addresses.items()}
        return {**os.environ, **urls}

    def _launch(self) -> None:
        for vendor in self._vendors:
            given = from_environment(vendor)
            if given is not None:
                self.addresses[vendor] = given
                continue
            try:
                server = throw_away(vendor, self._options)
            except (PackagesUnavailable, ServerFailed) as error:
                self.missing[vendor] = (
                    f"no {vendor} server: {error}; {variable(vendor)} can name one of your own"
                )
                continue
            self._started.append(server)
            server.launch()
            self.addresses[vendor] = server.address
            print(f"{vendor} {server.version} on port {server.port}", file=sys.stderr, flush=True)
