"""A server that replays: the first connection is relayed to a real one and recorded, later ones
get the same bytes back. It costs next to nothing and always the same, so that what is left to
measure is the client.

python -m benches.python.replay LISTEN_SOCKET REAL_SOCKET CORE
"""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

_PACKET_OK = 0x00
# Length, sequence number 1, then: OK, no rows, no id, autocommit, no warnings.
_OK = b"\x07\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"
_QUIET_SECONDS = 0.05


@dataclass
class Recording:
    """What one client's conversation was."""

    greeting: bytes = b""
    # Answers to the packets of the login, in order.
    login: list[bytes] = field(default_factory=list)
    # Answers to commands, by the command's bytes.
    answers: dict[bytes, bytes] = field(default_factory=dict)


def main() -> None:
    listen_path, real_path, core = sys.argv[1:4]
    os.sched_setaffinity(0, {int(core)})
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(listen_path)
        listener.listen()
        client, _ = listener.accept()
        with client, socket.socket(socket.AF_UNIX) as real:
            real.connect(real_path)
            recording = record(client, real)
        while True:
            client, _ = listener.accept()
            with client:
                replay(client, recording)


def record(client: socket.socket, real: socket.socket) -> Recording:
    recording = Recording(greeting=_hear(real))
    client.sendall(recording.greeting)
    logged_in = False
    for packet in _packets(client):
        if packet in recording.answers:
            client.sendall(recording.answers[packet])
            continue
        real.sendall(packet)
        answer = _hear(real)
        if not answer:
            break
        client.sendall(answer)
        if logged_in:
            recording.answers[packet] = answer
        else:
            recording.login.append(answer)
            logged_in = answer[4] == _PACKET_OK
    return recording


def replay(client: socket.socket, recording: Recording) -> None:
    answers = recording.answers
    client.sendall(recording.greeting)
    packets = _packets(client)
    try:
        for answer, _ in zip(recording.login, packets):
            client.sendall(answer)
        for packet in packets:
            client.sendall(answers.get(packet, _OK))
    except (BrokenPipeError, ConnectionResetError):
        return


def _packets(peer: socket.socket) -> Iterator[bytes]:
    """The packets of a client, each with its header, until it goes."""
    heard = b""
    waiting = select.poll()
    waiting.register(peer, select.POLLIN)
    while True:
        while len(heard) >= 4:
            size = 4 + int.from_bytes(heard[:3], "little")
            if len(heard) < size:
                break
            yield heard[:size]
            heard = heard[size:]
        try:
            # As the servers do: a blocked recv() would also wake when the client takes the answer.
            waiting.poll()
            more = peer.recv(65536)
        except ConnectionResetError:
            return
        if not more:
            return
        heard += more


def _hear(real: socket.socket) -> bytes:
    """An answer of the real server: all that comes until it falls quiet."""
    answer = real.recv(65536)
    while answer and select.select([real], [], [], _QUIET_SECONDS)[0]:
        more = real.recv(65536)
        if not more:
            break
        answer += more
    return answer


if __name__ == "__main__":
    main()
