"""Garbage for a greeting, and failed logins: errors of our own kind, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import random
from pathlib import Path
from typing import Any

import aiomysql
import pytest

from tests.bridge import nonsense, process
from tests.bridge.fake_server import GREETING, FakeServer, packet
from tests.bridge.nonsense import ANSWERS
from tests.bridge.test_deadlines import listener

rng = random.Random(11)

SPEECHES = {
    "nothing": b"",
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "zeros": bytes(100),
    "ones": b"\xff" * 100,
    "empty packet": packet(0, b""),
    "unknown protocol": packet(0, b"\x09" + GREETING[1:]),
    "no nonce": packet(0, b"\x0a8.0\x00" + bytes(4)),
    "wrong number": packet(5, GREETING),
    "error": packet(0, b"\xff\x10\x04Too many connections"),
    "bad error": packet(0, b"\xff"),
    "empty auth switch": packet(0, GREETING) + packet(2, b"\xfe"),
    "auth switch, no nonce": packet(0, GREETING) + packet(2, b"\xfecaching_sha2_password\x00"),
    "auth switch, nothing known": packet(0, GREETING) + packet(2, b"\xfewhat\x00abc\x00"),
    "more data": packet(0, GREETING) + packet(2, b"\x01"),
    "bad ok": packet(0, GREETING) + packet(2, b"\x00"),
    "huge packet": b"\xff\xff\xff\x00" + bytes(1000),
    **{f"random {n}": rng.randbytes(rng.randrange(200)) for n in range(20)},
    **{
        f"greeting with a bad byte {n}": packet(
            0, GREETING[:n] + bytes([rng.randrange(256)]) + GREETING[n + 1 :]
        )
        + packet(2, rng.randbytes(20))
        for n in range(0, len(GREETING), 4)
    },
}


@pytest.mark.parametrize("speech", SPEECHES.values(), ids=SPEECHES)
async def test_garbage(speech: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with listener(speech, hangs_up=True) as port:
        for password in ("", "secret"):
            # Not PanicException, which is no Exception.
            with pytest.raises(aiomysql.Error):
                await aiomysql.connect(
                    host="127.0.0.1", port=port, user="u", password=password, connect_timeout=1
                )
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("cursor", [aiomysql.Cursor, aiomysql.SSCursor, aiomysql.DictCursor])
@pytest.mark.parametrize("name", ANSWERS)
async def test_nonsense(
    name: str, cursor: Any, fake: FakeServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """An answer out of order is an exception at the most, and never taken for another's."""
    expected = ANSWERS[name]
    fake.answers["SELECT 'nonsense'"] = expected.answer, expected.usable
    connection = await aiomysql.connect(**fake.connect_kwargs())
    raised = None
    try:
        asked = await connection.cursor(cursor)
        await asked.execute("SELECT 'nonsense'")
        while await asked.fetchall() and await asked.nextset():
            pass
    except Exception as error:
        raised = error
    # Not PanicException, which is no Exception.
    assert (type(raised).__name__ if raised else None) == expected.raises, raised
    if isinstance(raised, aiomysql.Error):
        assert raised.__cause__ is None or isinstance(raised.__cause__, OSError)
    if expected.usable:
        await connection.ping(reconnect=False)
        assert not connection.closed
    assert connection.closed is not expected.usable
    connection.close()
    assert capfd.readouterr() == ("", "")


def test_the_table_says_so() -> None:
    security = Path(__file__).parents[2] / "SECURITY.md"
    assert nonsense.table() in security.read_text()


def driver() -> Any:
    loop = asyncio.get_running_loop()
    known = getattr(loop, "_aiomysql_driver", None)
    if known is not None:
        return known
    found = [each for each in gc.get_objects() if type(each).__name__ == "Driver"]
    (live,) = (each for each in found if each.name == "loop")
    return live


@process.linux_only
@pytest.mark.parametrize("at_once", [1, 20], ids=["one by one", "many at once"])
async def test_wrong_passwords_leave_nothing(server: Any, connection: Any, at_once: int) -> None:
    gc.collect()

    async def fail() -> None:
        with pytest.raises(aiomysql.OperationalError) as raised:
            await aiomysql.connect(**server.connect_kwargs(password="wrong", host="127.0.0.1"))
        assert raised.value.args[0] in (1045, 1698)

    await fail()
    await connection.ping()
    before = len(process.descriptors()), len(process.threads())
    for _ in range(200 // at_once):
        await asyncio.gather(*(fail() for _ in range(at_once)))
    for _ in range(100):
        if driver().alive_tasks == 0:
            break
        await asyncio.sleep(0.01)
    assert driver().alive_tasks == 0
    assert len(process.descriptors()) <= before[0]
    assert len(process.threads()) <= before[1]
    await connection.ping()
