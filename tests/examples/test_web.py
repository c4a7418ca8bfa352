"""The applications answer over HTTP, on a socket of their own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvicorn


@asynccontextmanager
async def fastapi_app() -> AsyncIterator[str]:
    from examples.fastapi_app import app

    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_level="warning", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server.serve(sockets=[listening]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


@asynccontextmanager
async def aiohttp_app() -> AsyncIterator[str]:
    from aiohttp import web

    from examples.aiohttp_app import application

    runner = web.AppRunner(application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    await runner.cleanup()


@pytest.mark.parametrize("serving", [fastapi_app, aiohttp_app])
async def test_notes(serving) -> None:
    async with serving() as url, aiohttp.ClientSession() as client:
        texts = [f"note {number}: it's 100 %" for number in range(20)]

        async def add(text: str) -> int:
            async with client.post(f"{url}/notes", json={"text": text}) as answer:
                assert answer.status == 201
                return (await answer.json())["id"]

        numbers = await asyncio.gather(*map(add, texts))
        assert len(set(numbers)) == 20
        for number, text in zip(numbers, texts):
            async with client.get(f"{url}/notes/{number}") as answer:
                assert await answer.json() == {"id": number, "text": text}
        async with client.get(f"{url}/notes/1000000") as answer:
            assert answer.status == 404
