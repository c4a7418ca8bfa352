"""The recipes of docs/observability.md, as they stand there."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from typing import Any

import aiomysql
import pytest

from tests.fix_servers import RunningServer
from tools.environment import ROOT


def recipe(name: str) -> str:
    text = (ROOT / "docs/observability.md").read_text()
    found = re.search(rf"<!-- recipe: {name} -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found, name
    return found[1]


def made(name: str) -> dict[str, Any]:
    """What a recipe defines."""
    namespace: dict[str, Any] = {}
    exec(compile(recipe(name), f"docs/observability.md: {name}", "exec"), namespace)
    return namespace


async def test_slow_statements(connect: Any, caplog: pytest.LogCaptureFixture) -> None:
    connection = await connect(on_query=made("slow")["on_query"])
    with caplog.at_level(logging.WARNING, "myapp.sql"):
        await connection.query("SELECT 'quick'")
        await connection.query("SELECT SLEEP(0.6)")
        with pytest.raises(aiomysql.ProgrammingError):
            await connection.query("SELEC 1")
    messages = [record.getMessage() for record in caplog.records]
    # The quick one may be a slow one where the machine is.
    slow, failed = [message for message in messages if "quick" not in message]
    assert re.fullmatch(r"SELECT SLEEP\(0\.6\) took [\d.]+ s and gave 1 rows", slow)
    assert re.fullmatch(r"SELEC 1 failed after [\d.]+ s: ProgrammingError\(1064.*", failed)


async def test_opentelemetry(server: RunningServer, connect: Any) -> None:
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    namespace = made("opentelemetry")
    namespace["tracer"] = provider.get_tracer("myapp.sql")
    connection = await connect()
    connection.on_query = namespace["on_query"]
    with namespace["tracer"].start_as_current_span("request") as request:
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT %s UNION SELECT SLEEP(0.1)", ("secret",))
        with pytest.raises(aiomysql.ProgrammingError):
            await connection.query("selec 1")
    select, failed, outer = exporter.get_finished_spans()
    assert (select.name, failed.name, outer.name) == ("SELECT", "SELEC", "request")
    assert select.parent.span_id == request.get_span_context().span_id
    assert select.kind is trace.SpanKind.CLIENT
    assert select.attributes["db.response.returned_rows"] == 2
    assert select.attributes["server.port"] == server.address.port
    assert select.end_time - select.start_time >= 90_000_000
    assert select.status.is_unset
    assert failed.status.status_code is trace.StatusCode.ERROR
    assert failed.events[0].attributes["exception.type"].endswith("ProgrammingError")
    assert "secret" not in select.to_json()


SENTRY = """
import asyncio, functools, json, sys
import aiomysql, sentry_sdk

seen = []

class Transport(sentry_sdk.transport.Transport):
    def capture_envelope(self, envelope):
        for item in envelope.items:
            if item.type == "transaction":
                seen.extend(item.payload.json["spans"])

arguments, recipe = json.loads(sys.argv[1])
# Nothing is to leave the machine; the rest is the recipe's.
sentry_sdk.init = functools.partial(
    sentry_sdk.init, transport=Transport, default_integrations=False
)
exec(recipe)

async def main():
    connection = await aiomysql.connect(**arguments)
    with sentry_sdk.start_transaction(name="all"):
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT %s", ("secret",))
    connection.close()

asyncio.run(main())
sentry_sdk.flush()
print(json.dumps([span["description"] for span in seen]))
"""


def test_sentry(server: RunningServer) -> None:
    pytest.importorskip("sentry_sdk")
    done = subprocess.run(
        [sys.executable, "-c", SENTRY, json.dumps([server.connect_kwargs(), recipe("sentry")])],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "SELECT %s" in json.loads(done.stdout)
