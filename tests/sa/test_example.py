"""The example of the guide that users start from."""

import io
from contextlib import redirect_stdout

import sqlalchemy as sa
from aiomysql.sa import create_engine

metadata = sa.MetaData()

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(128)),
    sa.Column("email", sa.String(255)),
)


async def test_the_guides_example(server, make_tables):
    make_tables(users)
    printed = io.StringIO()

    with redirect_stdout(printed):
        engine = await create_engine(**server.connect_kwargs())
        async with engine.acquire() as conn:
            async with conn.begin() as tx:
                await conn.execute(users.insert().values(name="Alice", email="a@x.com"))
                await tx.commit()

            result = await conn.execute(users.select())
            async for row in result:
                print(row.id, row.name)

        engine.close()
        await engine.wait_closed()
    assert printed.getvalue() == "1 Alice\n"
