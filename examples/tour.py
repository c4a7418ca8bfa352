"""A tour of aiomysql: a pool, parameters, bulk inserts, dictionaries, transactions, errors.

Connects to the server that MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD and MYSQL_DATABASE
name; `make demo` starts one.
"""

from __future__ import annotations

import asyncio
import os

import aiomysql


async def main() -> None:
    pool = await aiomysql.create_pool(
        host=os.environ.get("MYSQL_HOST", "127.0.0.1"),
        port=int(os.environ.get("MYSQL_PORT", "3306")),
        user=os.environ.get("MYSQL_USER", "root"),
        password=os.environ.get("MYSQL_PASSWORD", ""),
        db=os.environ.get("MYSQL_DATABASE", "test"),
        charset="utf8mb4",
        minsize=2,
        maxsize=10,
    )
    try:
        await meet_the_server(pool)
        await fill_a_table(pool)
        await read_it_back(pool)
        await move_money(pool)
        await ask_many_things_at_once(pool)
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


async def clean_up(pool: aiomysql.Pool) -> None:
    async with pool.acquire() as conn, conn.cursor() as cur:
        await cur.execute("DROP TABLE accounts")


if __name__ == "__main__":
    asyncio.run(main())
