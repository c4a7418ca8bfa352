"""Notes over HTTP, with aiohttp: `python -m examples.aiohttp_app`.

The pool is a clean-up context of the application: made when it starts, closed when it ends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiomysql
from aiohttp import web

from examples.settings import server

POOL = web.AppKey("pool", aiomysql.Pool)


async def database(app: web.Application) -> AsyncIterator[None]:
    async with aiomysql.create_pool(**server(), autocommit=True, minsize=1, maxsize=10) as pool:
        async with pool.acquire() as conn:
            await conn.query(
                "CREATE TABLE aiohttp_notes (id INT AUTO_INCREMENT PRIMARY KEY, text TEXT NOT NULL)"
            )
        app[POOL] = pool
        yield
        async with pool.acquire() as conn:
            await conn.query("DROP TABLE aiohttp_notes")


async def add(request: web.Request) -> web.Response:
    text = (await request.json())["text"]
    async with request.app[POOL].acquire() as conn, conn.cursor() as cur:
        await cur.execute("INSERT INTO aiohttp_notes (text) VALUES (%s)", (text,))
        return web.json_response({"id": cur.lastrowid, "text": text}, status=201)


async def show(request: web.Request) -> web.Response:
    number = int(request.match_info["number"])
    async with request.app[POOL].acquire() as conn, conn.cursor(aiomysql.DictCursor) as cur:
        await cur.execute("SELECT id, text FROM aiohttp_notes WHERE id = %s", (number,))
        row = await cur.fetchone()
    if row is None:
        raise web.HTTPNotFound(text="no such note")
    return web.json_response(row)


def application() -> web.Application:
    app = web.Application()
    app.cleanup_ctx.append(database)
    app.add_routes([web.post("/notes", add), web.get(r"/notes/{number:\d+}", show)])
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=8080)
