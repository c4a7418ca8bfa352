"""A tour of aiomysql: pools, bulk inserts, streams, procedures, files, cancellation, TLS.

Connects to the server that MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD and MYSQL_DATABASE
name, and once by TLS where MYSQL_SSL_CA names the file of its authority; `make demo` starts one.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import ssl
import tempfile
from typing import Any

import aiomysql


def server() -> dict[str, Any]:
    return {
        "host": os.environ.get("MYSQL_HOST", "127.0.0.1"),
        "port": int(os.environ.get("MYSQL_PORT", "3306")),
        "user": os.environ.get("MYSQL_USER", "root"),
        "password": os.environ.get("MYSQL_PASSWORD", ""),
        "db": os.environ.get("MYSQL_DATABASE", "test"),
    }


async def main() -> None:
    pool = await aiomysql.create_pool(
        **server(), charset="utf8mb4", autocommit=True, minsize=2, maxsize=10
    )
    try:
        await meet_the_server(pool)
        await fill_a_table(pool)
        await read_it_back(pool)
        await move_money(pool)
        await ask_many_things_at_once(pool)
        await fill_and_stream(pool)
        await call_a_procedure(pool)
        await send_anything(pool)
        await change_ones_mind(pool)
        await load_a_file()
        await speak_in_private()
        await clean_up(pool)
    finally:
        pool.close()
        await pool.wait_closed()
    print("\nThe pool is closed.")


async def meet_the_server(pool: aiomysql.Pool) -> None:
    async with pool.acquire() as conn, conn.cursor() as cur:
        await cur.execute("SELECT VERSION()")
        (version,) = await cur.fetchone()
        print(f"aiomysql {aiomysql.__version__} speaks to {version}")
        print(f"The pool holds {pool.size} connections, {pool.freesize} of them free.")


async def fill_a_table(pool: aiomysql.Pool) -> None:
    async with pool.acquire() as conn, conn.cursor() as cur:
        await cur.execute(
            "CREATE TABLE accounts (id INT AUTO_INCREMENT PRIMARY KEY,"
            " owner VARCHAR(64) NOT NULL UNIQUE, balance DECIMAL(10, 2) NOT NULL)"
        )
        await cur.execute(
            "INSERT INTO accounts (owner, balance) VALUES (%s, %s)", ("Ada", "100.00")
        )
        print(f"\nAda's account has the number {cur.lastrowid}.")
        rows = [("Grace", "250.50"), ("Zoë", "17.00"), ("O'Brien", "0.99")]
        await cur.executemany("INSERT INTO accounts (owner, balance) VALUES (%s, %s)", rows)
        print(f"{cur.rowcount} more were opened in one statement.")
        await conn.commit()


async def read_it_back(pool: aiomysql.Pool) -> None:
    async with pool.acquire() as conn:
        async with conn.cursor(aiomysql.DictCursor) as cur:
            await cur.execute("SELECT * FROM accounts WHERE owner = %s", ("O'Brien",))
            print(f"\nA row as a dict: {await cur.fetchone()}")
        async with conn.cursor(aiomysql.SSCursor) as cur:
            await cur.execute("SELECT owner, balance FROM accounts ORDER BY balance DESC")
            async for owner, balance in cur:
                print(f"  {owner:<8} {balance:>8}")


async def move_money(pool: aiomysql.Pool) -> None:
    print("\nA transaction that fails leaves no trace:")
    async with pool.acquire() as conn, conn.cursor() as cur:
        try:
            await conn.begin()
            await cur.execute(
                "UPDATE accounts SET balance = balance - %s WHERE owner = %s", (50, "Ada")
            )
            await cur.execute("INSERT INTO accounts (owner, balance) VALUES (%s, %s)", ("Zoë", 50))
            await conn.commit()
        except aiomysql.IntegrityError as error:
            await conn.rollback()
            code, message = error.args
            print(f"  {type(error).__name__} {code}: {message}")
        await cur.execute("SELECT balance FROM accounts WHERE owner = %s", ("Ada",))
        print(f"  Ada still has {(await cur.fetchone())[0]}.")


async def ask_many_things_at_once(pool: aiomysql.Pool) -> None:
    async def connection_of_a_slow_query() -> int:
        async with pool.acquire() as conn, conn.cursor() as cur:
            await cur.execute("SELECT CONNECTION_ID(), SLEEP(0.05)")
            return (await cur.fetchone())[0]

    loop = asyncio.get_running_loop()
    began = loop.time()
    used = await asyncio.gather(*(connection_of_a_slow_query() for _ in range(20)))
    print(
        f"\n20 queries of 50 ms over {len(set(used))} connections"
        f" took {(loop.time() - began) * 1000:.0f} ms."
    )


async def fill_and_stream(pool: aiomysql.Pool) -> None:
    loop = asyncio.get_running_loop()
    async with pool.acquire() as conn:
        async with conn.cursor() as cur:
            await cur.execute(
                "CREATE TABLE readings (id INT PRIMARY KEY, taken DATETIME, value DOUBLE)"
            )
            start = datetime.datetime(2024, 2, 29, 12)
            rows = [(n, start + datetime.timedelta(seconds=n), n / 7) for n in range(100_000)]
            began = loop.time()
            await cur.executemany("INSERT INTO readings VALUES (%s, %s, %s)", rows)
            await conn.commit()
            print(f"\n{cur.rowcount} readings were inserted in {loop.time() - began:.2f} s,")
        async with conn.cursor(aiomysql.SSCursor) as cur:
            began = loop.time()
            await cur.execute("SELECT value FROM readings ORDER BY id")
            total = 0.0
            async for (value,) in cur:
                total += value
            print(f"and streamed, 256 at a time, in {loop.time() - began:.2f} s: sum {total:.1f}.")


async def call_a_procedure(pool: aiomysql.Pool) -> None:
    async with pool.acquire() as conn, conn.cursor() as cur:
        await cur.execute(
            "CREATE PROCEDURE extremes(IN least INT, OUT found INT) BEGIN"
            " SELECT MIN(value) FROM readings WHERE id >= least;"
            " SELECT MAX(value) FROM readings WHERE id >= least;"
            " SELECT COUNT(*) INTO found FROM readings WHERE id >= least; END"
        )
        await cur.callproc("extremes", (99_000, 0))
        (lowest,) = await cur.fetchone()
        await cur.nextset()
        (highest,) = await cur.fetchone()
        while await cur.nextset():
            pass
        await cur.execute("SELECT @_extremes_1")
        (found,) = await cur.fetchone()
        print(
            f"\nA procedure gave two result sets ({lowest:.2f}, {highest:.2f}) and counted {found}."
        )


async def send_anything(pool: aiomysql.Pool) -> None:
    async with pool.acquire() as conn, conn.cursor(aiomysql.DictCursor) as cur:
        await cur.execute(
            "SELECT %s AS nothing, %s AS words, %s AS bytes_", (None, "ž, ☃", b"\x00\xff")
        )
        print(f"\nNULL, text and bytes come back as they went: {await cur.fetchone()}")


async def change_ones_mind(pool: aiomysql.Pool) -> None:
    async with pool.acquire() as conn:
        async with conn.cursor() as cur:
            try:
                await asyncio.wait_for(cur.execute("SELECT SLEEP(10)"), timeout=0.05)
            except asyncio.TimeoutError:
                print("\nA query that took too long was given up;", end=" ")
        print(f"its connection is {'closed' if conn.closed else 'open'}, so that", end=" ")
    async with pool.acquire() as conn, conn.cursor() as cur:
        await cur.execute("SELECT 'mine'")
        print(f"the next one gets its own answer: {(await cur.fetchone())[0]}.")


async def load_a_file() -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.writelines(f"{n},2024-02-29 12:00:00,{n / 3}\n" for n in range(100_000, 150_000))
        file.flush()
        async with aiomysql.connect(**server(), local_infile=True) as conn, conn.cursor() as cur:
            await cur.execute(
                "LOAD DATA LOCAL INFILE %s INTO TABLE readings FIELDS TERMINATED BY ','",
                (file.name,),
            )
            await conn.commit()
            print(f"\n{cur.rowcount} lines were loaded from a file.")


async def speak_in_private() -> None:
    authority = os.environ.get("MYSQL_SSL_CA")
    if authority is None:
        return
    # The server's certificate and its name are verified, as the context says.
    context = ssl.create_default_context(cafile=authority)
    async with aiomysql.connect(**server(), ssl=context) as conn, conn.cursor() as cur:
        await cur.execute("SHOW STATUS WHERE Variable_name IN ('Ssl_version', 'Ssl_cipher')")
        spoken = dict(await cur.fetchall())
        print(f"\nTLS: {spoken['Ssl_version']}, {spoken['Ssl_cipher']}.")
    try:
        await aiomysql.connect(**server(), ssl=ssl.create_default_context())
    except aiomysql.OperationalError as error:
        print(f"A server that nobody vouches for is refused: {error.args[0]}.")


async def clean_up(pool: aiomysql.Pool) -> None:
    async with pool.acquire() as conn, conn.cursor() as cur:
        await cur.execute("DROP PROCEDURE extremes")
        await cur.execute("DROP TABLE accounts, readings")


if __name__ == "__main__":
    asyncio.run(main())
