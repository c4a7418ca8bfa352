"""Where in a connection's bytes its stages are: measured in a session that nothing disturbs."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiomysql

from tests.proxy import Direction, Proxy

#: Of three columns and 20 rows; a marker has always the same length, so the answer has too.
ROWS = 20
_NUMBERS = " UNION ALL ".join(f"SELECT {number}" for number in range(10, 10 + ROWS))


def statement(marker: str) -> str:
    return f"SELECT t.*, '{marker}' AS marker, NULL AS nothing FROM ({_NUMBERS}) AS t"


def answer_to(marker: str) -> tuple[tuple[Any, ...], ...]:
    return tuple((number, marker, None) for number in range(10, 10 + ROWS))


class Stage(enum.Enum):
    GREETING = "greeting"
    TLS = "TLS"
    AUTHENTICATION = "authentication"
    COMMAND = "command"
    DEFINITIONS = "column definitions"
    ROWS = "rows"
    END = "end"

    @property
    def is_connecting(self) -> bool:
        """Its offsets count from the first byte of the connection, not from the command's."""
        return self in (Stage.GREETING, Stage.TLS, Stage.AUTHENTICATION)


@dataclass(frozen=True)
class Range:
    """The bytes of one direction that belong to a stage, and where packets begin among them."""

    direction: Direction
    begin: int
    end: int
    headers: tuple[int, ...] = ()


Stages = dict[Stage, list[Range]]


async def measure(proxy: Proxy, arguments: dict[str, Any], tls: Any) -> Stages:
    to_server, to_client = Direction.TO_SERVER, Direction.TO_CLIENT
    async with aiomysql.connect(**arguments) as connection, connection.cursor() as cursor:
        before = {direction: proxy.passed(direction) for direction in Direction}
        await cursor.execute(statement("m" * 20))
        tapes = {direction: proxy.tape(direction) for direction in Direction}
    greeting, *login = _packets(tapes[to_client][: before[to_client]])
    # The numbers of packets begin anew with the first command.
    answers = list(itertools.takewhile(lambda packet: packet.number > 1, login))
    sent = _packets(tapes[to_server][: before[to_server]])
    logins = list(itertools.takewhile(lambda packet: packet.number > 0, sent))
    command = list(_packets(tapes[to_server][before[to_server] :]))
    first, *rest = _packets(tapes[to_client][before[to_client] :])
    columns = first.payload[0]
    if rest[columns].payload[0] == 0xFE:
        # The end of the definitions, from servers that still send it.
        columns += 1
    assert len(rest) == columns + ROWS + 1
    stages = {
        Stage.GREETING: [_range(to_client, [greeting])],
        Stage.AUTHENTICATION: [_range(to_server, logins), _range(to_client, answers)],
        Stage.COMMAND: [_range(to_server, command)],
        Stage.DEFINITIONS: [_range(to_client, [first, *rest[:columns]])],
        Stage.ROWS: [_range(to_client, rest[columns:-1])],
        Stage.END: [_range(to_client, rest[-1:])],
    }
    async with aiomysql.connect(**arguments, ssl=tls) as connection:
        async with connection.cursor() as cursor:
            await cursor.execute(statement("m" * 20))
        # Signatures and tickets differ by a few bytes.
        ends = {direction: int(proxy.passed(direction) * 0.95) for direction in Direction}
        (request, *_) = _packets(proxy.tape(to_server)[:36])
    stages[Stage.TLS] = [
        Range(to_server, request.end, ends[to_server]),
        Range(to_client, greeting.end, ends[to_client]),
    ]
    return stages


@dataclass(frozen=True)
class _Packet:
    begin: int
    number: int
    payload: bytes

    @property
    def end(self) -> int:
        return self.begin + 4 + len(self.payload)


def _packets(tape: bytes) -> Iterator[_Packet]:
    at = 0
    while at < len(tape):
        length = int.from_bytes(tape[at : at + 3], "little")
        yield _Packet(at, tape[at + 3], tape[at + 4 : at + 4 + length])
        at += 4 + length


def _range(direction: Direction, packets: list[_Packet]) -> Range:
    headers = tuple(packet.begin for packet in packets)
    return Range(direction, packets[0].begin, packets[-1].end, headers)
