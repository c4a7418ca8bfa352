"""What no driver on a loop can undercut: the same bytes, sent and received by the loop alone.

PyMySQL logs in. Then the loop calls back for each answer, and the callback sends the next query:
nothing is encoded, decoded or awaited. What this costs is the kernel's and the loop's own.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pymysql

from benches.python.clock import Clock
from benches.python.workloads import Workload

_COM_QUERY = b"\x03"
# Longer than any pause inside an answer.
_QUIET_SECONDS = 0.2


async def measure(
    work: Workload, connect_kwargs: dict[str, Any], prepare: Callable[[], None]
) -> Clock:
    connection: Any = pymysql.connect(**connect_kwargs)
    with connection:
        statement = _COM_QUERY + connection.cursor().mogrify(work.sql, work.args).encode()
        packet = len(statement).to_bytes(3, "little") + b"\0" + statement
        plain: socket.socket = connection._sock
        size = _size_of_answer(plain, packet)
        plain.setblocking(False)
        exchange = _Exchange(plain, packet, size)
        await exchange.run(work.count // 10)
        prepare()
        with Clock() as clock:
            await exchange.run(work.count)
        plain.setblocking(True)
    return clock


def _size_of_answer(plain: socket.socket, packet: bytes) -> int:
    plain.settimeout(_QUIET_SECONDS)
    plain.sendall(packet)
    size = 0
    try:
        while True:
            size += len(plain.recv(65536))
    except socket.timeout:
        return size


class _Exchange:
    """One query after another, each sent from the callback that took the answer before it."""

    def __init__(self, plain: socket.socket, packet: bytes, size: int) -> None:
        self._plain, self._packet, self._size = plain, packet, size
        self._missing = 0
        self._left = 0

    async def run(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        self._left = count
        loop.add_reader(self._plain.fileno(), self._receive)
        self._send()
        try:
            await self._done
        finally:
            loop.remove_reader(self._plain.fileno())

    def _send(self) -> None:
        self._missing = self._size
        self._plain.send(self._packet)

    def _receive(self) -> None:
        self._missing -= len(self._plain.recv(65536))
        if self._missing:
            return
        self._left -= 1
        if self._left:
            self._send()
        else:
            self._done.set_result(None)
