"""Notes over HTTP, with FastAPI: `uvicorn examples.fastapi_app:app`.

The pool lives as long as the application; each request borrows a connection of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiomysql
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel

from examples.settings import server


class Note(BaseModel):
    text: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with aiomysql.create_pool(
        **server(), autocommit=True, cursorclass=aiomysql.DictCursor, minsize=1, maxsize=10
    ) as pool:
        async with pool.acquire() as conn:
            await conn.query(
                "CREATE TABLE fastapi_notes (id INT AUTO_INCREMENT PRIMARY KEY, text TEXT NOT NULL)"
            )
        app.state.pool = pool
        yield
        async with pool.acquire() as conn:
            await conn.query("DROP TABLE fastapi_notes")


app = FastAPI(lifespan=lifespan)


async def connection(request: Request) -> AsyncIterator[aiomysql.Connection]:
    async with request.app.state.pool.acquire() as conn:
        yield conn


Connection = Annotated[Any, Depends(connection)]


@app.post("/notes", status_code=201)
async def add(note: Note, conn: Connection) -> dict[str, Any]:
    async with conn.cursor() as cur:
        await cur.execute("INSERT INTO fastapi_notes (text) VALUES (%s)", (note.text,))
        return {"id": cur.lastrowid, "text": note.text}


@app.get("/notes/{number}")
async def show(number: int, conn: Connection) -> dict[str, Any]:
    async with conn.cursor() as cur:
        await cur.execute("SELECT id, text FROM fastapi_notes WHERE id = %s", (number,))
        row = await cur.fetchone()
    if row is None:
        raise HTTPException(404, "no such note")
    return row
