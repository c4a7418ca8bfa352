"""Runs `async def` tests and fixtures, each test on a loop of its own and with a deadline.

AIOMYSQL_TEST_LOOP chooses the loop: asyncio (the default) or uvloop. AIOMYSQL_TEST_TASKS=eager
gives it the eager tasks of Python 3.12.
"""

from __future__ import annotations

import asyncio
import faulthandler
import inspect
import os
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

EAGER = os.environ.get("AIOMYSQL_TEST_TASKS") == "eager"

SECONDS = 60.0
# A loop that is blocked cannot run its own deadline; then all threads' stacks are printed.
GRACE_SECONDS = 20.0


def new_event_loop() -> asyncio.AbstractEventLoop:
    loop = _new_event_loop()
    if EAGER:
        loop.set_task_factory(eager_task_factory)
    return loop


def eager_task_factory(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> Any:
    """asyncio's, on each loop: uvloop 0.23 says eager_start=None, which asyncio takes for a no."""
    options.pop("eager_start", None)
    return asyncio.eager_task_factory(loop, work, **options)


def _new_event_loop() -> asyncio.AbstractEventLoop:
    kind = os.environ.get("AIOMYSQL_TEST_LOOP", "asyncio")
    if kind == "uvloop":
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    if kind != "asyncio":
        raise pytest.UsageError(f"AIOMYSQL_TEST_LOOP={kind}: asyncio or uvloop")
    return asyncio.new_event_loop()


class Runner:
    """asyncio.Runner, for every Python that we support."""

    def __init__(self) -> None:
        self.loop = new_event_loop()
        asyncio.set_event_loop(self.loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        try:
            self._cancel_all()
            self.run(self.loop.shutdown_asyncgens())
            self.run(self.loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()

    def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


@pytest.fixture
def runner() -> Iterator[Runner]:
    """The loop of this test; async tests and fixtures run on it."""
    runner = Runner()
    yield runner
    runner.close()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"seconds(n): a deadline other than {SECONDS:.0f} seconds")


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        # First, so that the loop is closed after every other fixture is torn down.
        item.fixturenames.insert(0, "runner")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Any:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}
    marker = pyfuncitem.get_closest_marker("seconds")
    seconds = float(marker.args[0]) if marker else SECONDS
    faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True)
    try:
        pyfuncitem.funcargs["runner"].run(_within(seconds, pyfuncitem.obj(**arguments)))
    finally:
        faulthandler.cancel_dump_traceback_later()
    return True


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        return task.result()
    where = task.get_stack(limit=1)
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    line = f"{where[-1].f_code.co_filename}:{where[-1].f_lineno}" if where else "an unknown place"
    pytest.fail(f"the test took longer than {seconds:.0f} seconds; it was at {line}")


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Iterator[None]:
    """`async def` fixtures of function scope, with or without a `yield`."""
    function = fixturedef.func
    if inspect.isasyncgenfunction(function):
        fixturedef.func = _synchronous_generator(function, request)
    elif inspect.iscoroutinefunction(function):
        fixturedef.func = _synchronous(function, request)
    yield
    fixturedef.func = function


def _synchronous(function: Any, request: Any) -> Any:
    runner = request.getfixturevalue("runner")

    def fixture(**arguments: Any) -> Any:
        return runner.run(function(**arguments))

    return fixture


def _synchronous_generator(function: Any, request: Any) -> Any:
    runner = request.getfixturevalue("runner")

    def fixture(**arguments: Any) -> Iterator[Any]:
        generator = function(**arguments)
        yield runner.run(generator.__anext__())
        try:
            runner.run(generator.__anext__())
        except StopAsyncIteration:
            return
        raise RuntimeError(f"{function.__name__} yields twice")

    return fixture
