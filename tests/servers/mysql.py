"""MySQL: it makes its own data folder and TLS certificates."""

from __future__ import annotations

from .server import PASSWORD, Server


class MySQL(Server):
    vendor = "mysql"

    def _initialise(self) -> None:
        self._run_to_end([*self._options(), "--initialize-insecure"])

    def _vendor_options(self) -> list[str]:
        native = ["--mysql-native-password=ON"] if self._has_native_password else []
        return ["--mysqlx=OFF", "--skip-log-bin", *native]

    def _accounts(self) -> list[str]:
        plugins = {"test_sha2": "caching_sha2_password"}
        if self._has_native_password:
            plugins["test_native"] = "mysql_native_password"
        statements = []
        for name, plugin in plugins.items():
            statements += self._account_statements(name, f"WITH {plugin} BY '{PASSWORD}'")
        return statements

    @property
    def _has_native_password(self) -> bool:
        return int(self.version.split(".")[0]) < 9
