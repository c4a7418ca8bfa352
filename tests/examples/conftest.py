"""The examples find the server of the test.

They run where requirements/third-parties.txt is installed: in a stage of `make test` of their own.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from tests.fix_servers import RunningServer

collect_ignore_glob = [] if importlib.util.find_spec("fastapi") else ["test_*.py"]


@pytest.fixture(autouse=True)
def variables(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Those that name the server; the database is one of the examples' own."""
    address = server.address
    server.query("DROP DATABASE IF EXISTS examples")
    server.query("CREATE DATABASE examples CHARACTER SET utf8mb4")
    variables = {
        "MYSQL_HOST": address.host,
        "MYSQL_PORT": str(address.port),
        "MYSQL_USER": address.user,
        "MYSQL_PASSWORD": address.password,
        "MYSQL_DATABASE": "examples",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    yield variables
    # What an example made, it has removed.
    left = [name for (name,) in server.query("SHOW TABLES FROM examples") if "worker" not in name]
    server.query("DROP DATABASE examples")
    assert not left
