"""MariaDB: its system tables are made by its own SQL files, fed to the server's bootstrap mode."""

from __future__ import annotations

from .server import PASSWORD, Server

# The files in the order in which mariadb-install-db feeds them; help and time zones are left out.
# MariaDB 11 renamed mysql_*.sql to mariadb_*.sql.
_SYSTEM_TABLES = (
    "m*_system_tables.sql",
    "m*_performance_tables.sql",
    "m*_system_tables_data.sql",
    "maria_add_gis_sp_bootstrap.sql",
    "m*_sys_schema.sql",
)


class MariaDB(Server):
    vendor = "mariadb"

    def _initialise(self) -> None:
        share = self._installation.share
        files = [path for pattern in _SYSTEM_TABLES for path in share.glob(pattern)]
        head = ["CREATE DATABASE IF NOT EXISTS mysql;", "USE mysql;", "SET @auth_root_socket=NULL;"]
        # root without a password from 127.0.0.1 and the machine's name: an account for all will do.
        tail = ["DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';"]
        text = "\n".join([*head, *(path.read_text() for path in files), *tail, ""])
        with self._write("system.sql", text).open("rb") as statements:
            self._run_to_end([*self._options(), "--bootstrap"], stdin=statements)

    def _vendor_options(self) -> list[str]:
        ed25519 = self._installation.has_plugin("auth_ed25519")
        return ["--plugin-load-add=auth_ed25519"] if ed25519 else []

    def _accounts(self) -> list[str]:
        as_hash = f"USING PASSWORD('{PASSWORD}')"
        statements = self._account_statements("test_native", f"VIA mysql_native_password {as_hash}")
        if self._installation.has_plugin("auth_ed25519"):
            statements += self._account_statements("test_ed25519", f"VIA ed25519 {as_hash}")
        if self._installation.has_plugin("auth_parsec"):
            statements.insert(0, "INSTALL SONAME 'auth_parsec';")
            statements += self._account_statements("test_parsec", f"VIA parsec {as_hash}")
        return statements
