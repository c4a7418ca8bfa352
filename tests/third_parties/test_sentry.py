"""sentry-sdk's integration: it assigns to classes, for good, so it runs in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.fix_servers import RunningServer
from tools.environment import ROOT

pytest.importorskip("sentry_sdk")
pytest.importorskip("sentry_sdk.integrations.aiomysql", exc_type=Exception)

SCRIPT = """
import asyncio, json, sys
import aiomysql, sentry_sdk
from sentry_sdk.integrations.aiomysql import AioMySQLIntegration

seen = []

class Transport(sentry_sdk.transport.Transport):
    def capture_envelope(self, envelope):
        for item in envelope.items:
            if item.type == "transaction":
                seen.extend(item.payload.json["spans"])

async def main(arguments):
    before = await aiomysql.connect(**arguments)
    sentry_sdk.init(
        dsn="http://key@localhost/1",
        traces_sample_rate=1.0,
        transport=Transport,
        default_integrations=False,
        integrations=[AioMySQLIntegration()],
    )
    with sentry_sdk.start_transaction(name="all"):
        pool = await aiomysql.create_pool(minsize=1, maxsize=1, autocommit=True, **arguments)
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("CREATE TEMPORARY TABLE sentry (a INT)")
            await cursor.executemany("INSERT INTO sentry VALUES (%s)", [(1,), (2,)])
            await cursor.execute("SELECT SUM(a) FROM sentry WHERE a > %s", (0,))
            assert int((await cursor.fetchone())[0]) == 3
            await connection.begin()
            await cursor.execute("DELETE FROM sentry")
            await connection.rollback()
            try:
                await cursor.execute("SELEC 1")
            except aiomysql.ProgrammingError as error:
                assert error.args[0] == 1064
        await before.query(f"KILL {connection.thread_id()}")
        await asyncio.sleep(0.2)
        async with pool.acquire() as connection, connection.cursor(aiomysql.SSCursor) as cursor:
            await cursor.execute("SELECT 'again'")
            assert await cursor.fetchone() == ("again",)
        async with before.cursor() as cursor:
            await cursor.execute("SELECT 'made earlier'")
        pool.close()
        await pool.wait_closed()
    sentry_sdk.flush()
    before.close()

asyncio.run(main(json.loads(sys.argv[1])))
print(json.dumps([[span["op"], span["description"]] for span in seen]))
"""


def test_it_sees_statements_and_connections(server: RunningServer) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(server.connect_kwargs())],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    spans: list[list[Any]] = json.loads(done.stdout)
    statements = [text for _, text in spans if text]
    for wanted in (
        "CREATE TEMPORARY TABLE sentry (a INT)",
        "INSERT INTO sentry VALUES (%s)",
        "SELECT SUM(a) FROM sentry WHERE a > %s",
        "SELEC 1",
        "SELECT 'again'",
        "SELECT 'made earlier'",
    ):
        assert statements.count(wanted) == 1, statements
    assert len(spans) > len(statements) - 2
