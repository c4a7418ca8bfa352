"""Seeded schedules: what goes wrong, at which byte, and what may come of it."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from dataclasses import dataclass

import aiomysql

from tests.faults.stages import Range, Stage, Stages
from tests.proxy import Direction, Fault, faults

#: For each pair of stage and fault, on each server.
ROUNDS = 8


class Kind(enum.Enum):
    CUT = "cut"
    RESET = "reset"
    HALF_CLOSE = "half-close"
    STALL = "stall"
    DELAY = "delay"
    THROTTLE = "throttle"
    BYTEWISE = "byte by byte"
    TRUNCATE = "truncate"
    #: A bit of a packet's header, or of anything that TLS protects.
    CORRUPT = "corrupt"
    #: A bit of a packet's content. MySQL has no checksums: without TLS nobody can tell a value
    #: that was changed on its way from another.
    GARBLE = "garble"

    @property
    def is_harmless(self) -> bool:
        return self in (Kind.DELAY, Kind.THROTTLE, Kind.BYTEWISE)


@dataclass(frozen=True)
class Schedule:
    number: int
    stage: Stage
    kind: Kind
    place: Range
    at: int
    #: How many bytes, or which bits; see `fault`.
    amount: int
    #: Rows are fetched as they arrive.
    streamed: bool

    @property
    def fault(self) -> Fault:
        return {
            Kind.CUT: lambda: faults.cut(),
            Kind.RESET: lambda: faults.cut(reset=True),
            Kind.HALF_CLOSE: faults.half_close,
            Kind.STALL: faults.stall,
            Kind.DELAY: lambda: faults.delay(0.001 * self.amount),
            Kind.THROTTLE: lambda: faults.throttle(16 * self.amount, 0.001),
            Kind.BYTEWISE: lambda: faults.throttle(1),
            Kind.TRUNCATE: lambda: faults.drop(self.amount),
            Kind.CORRUPT: lambda: faults.flip(self.amount),
            Kind.GARBLE: lambda: faults.flip(self.amount),
        }[self.kind]()

    @property
    def outcomes(self) -> tuple[str, ...]:
        """How the statement may succeed although something happened."""
        if self.kind.is_harmless:
            return ("rows",)
        if self.stage is Stage.TLS:
            # The first record's version says nothing and is not protected.
            return ("rows",) if self.kind in (Kind.CORRUPT, Kind.GARBLE) else ()
        if self.kind is Kind.GARBLE:
            return ("rows", "changed values", "no rows")
        if self.kind is Kind.CORRUPT:
            # A length that is wrong at the very end disturbs the next statement alone.
            return ("rows", "no rows")
        # With its count of columns lost, an answer may look like that of an UPDATE.
        return ("no rows",) if self.kind is Kind.TRUNCATE else ()

    def allows(self, error: Exception) -> bool:
        """Whether it is an error that this schedule may end with."""
        if self.kind.is_harmless:
            return False
        number = error.args[0] if isinstance(error, aiomysql.OperationalError) else None
        if number in (2003, 2013):
            return True
        if self.kind is Kind.HALF_CLOSE:
            # The server's last words: it got an error reading communication packets.
            return number == 1158 and self.place.direction is Direction.TO_SERVER
        if self.kind is Kind.GARBLE and isinstance(error, ValueError):
            # A number or a text that is none, as the converters say it.
            return not self.stage.is_connecting
        # What is not the protocol any more; and whatever a server says to such a thing.
        is_changed = self.kind in (Kind.TRUNCATE, Kind.CORRUPT, Kind.GARBLE)
        return is_changed and isinstance(error, aiomysql.DatabaseError)

    def __str__(self) -> str:
        where = f"byte {self.at} {self.place.direction.value}"
        how = "streamed" if self.streamed else "buffered"
        return (
            f"schedule {self.number}: {self.kind.value} ({self.amount}) in the "
            f"{self.stage.value}, at {where} ({how})"
        )


def schedules(stages: Stages, seed: int) -> Iterator[Schedule]:
    """Each pair of stage and fault as often as any other, in a shuffled order."""
    chance = random.Random(seed)
    pairs = [(stage, kind) for stage in Stage for kind in Kind] * ROUNDS
    chance.shuffle(pairs)
    for number, (stage, kind) in enumerate(pairs):
        yield _schedule(chance, number, stage, kind, chance.choice(stages[stage]))


def _schedule(
    chance: random.Random, number: int, stage: Stage, kind: Kind, place: Range
) -> Schedule:
    at = chance.randrange(place.begin, place.end)
    amount = chance.randint(1, 8)
    if kind in (Kind.CORRUPT, Kind.GARBLE):
        amount = 1 << chance.randrange(8)
        if stage is not Stage.TLS:
            headers = {header + offset for header in place.headers for offset in range(4)}
            content = set(range(place.begin, place.end)) - headers
            at = chance.choice(sorted(headers if kind is Kind.CORRUPT else content))
    # A row that was received whole is shown, even where the next one is out of step.
    may_mislead = kind in (Kind.TRUNCATE, Kind.CORRUPT, Kind.GARBLE)
    streamed = not may_mislead and chance.random() < 0.5
    return Schedule(number, stage, kind, place, at, amount, streamed)
