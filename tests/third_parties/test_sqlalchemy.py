"""SQLAlchemy's own dialect, `mysql+aiomysql://`."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("greenlet")
sqlalchemy = pytest.importorskip("sqlalchemy", minversion="2.0")

from sqlalchemy import (  # noqa: E402
    DateTime,
    ForeignKey,
    LargeBinary,
    Numeric,
    String,
    event,
    exc,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import (  # noqa: E402
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import (  # noqa: E402
    DeclarativeBase,
    Mapped,
    mapped_column,
    relationship,
    selectinload,
)

from tests.fix_servers import RunningServer  # noqa: E402


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "sqlalchemy_authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    books: Mapped[list[Book]] = relationship(back_populates="author", cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "sqlalchemy_books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey(Author.id))
    title: Mapped[str] = mapped_column(String(100))
    price: Mapped[decimal.Decimal] = mapped_column(Numeric(8, 2))
    cover: Mapped[bytes] = mapped_column(LargeBinary)
    printed: Mapped[datetime.datetime] = mapped_column(DateTime)
    author: Mapped[Author] = relationship(back_populates="books")


Author.__annotations__["books"] = Mapped[list[Book]]


def url_of(server: RunningServer) -> Any:
    address = server.address
    return sqlalchemy.URL.create(
        "mysql+aiomysql",
        address.user,
        address.password,
        address.host,
        address.port,
        address.db,
    )


@pytest.fixture
async def engine(server: RunningServer) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(url_of(server), pool_pre_ping=True, pool_size=2, max_overflow=2)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    yield engine
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
    await engine.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine, expire_on_commit=False)


def author(name: str, *titles: str) -> Author:
    moment = datetime.datetime(2024, 2, 29, 12, 30, 15)
    return Author(
        name=name,
        books=[
            Book(title=title, price=decimal.Decimal("9.99"), cover=b"\x00\xff'", printed=moment)
            for title in titles
        ],
    )


async def test_writes_and_reads(sessions: Any) -> None:
    async with sessions.begin() as session:
        session.add_all([author("Ann", "One", "Two's"), author("日本", "三 %s")])
    async with sessions() as session:
        query = select(Author).options(selectinload(Author.books)).order_by(Author.id)
        ann, other = (await session.scalars(query)).all()
        assert [book.title for book in ann.books] == ["One", "Two's"]
        assert (other.name, other.books[0].title) == ("日本", "三 %s")
        book = ann.books[0]
        assert book.price == decimal.Decimal("9.99")
        assert book.cover == b"\x00\xff'"
        assert book.printed == datetime.datetime(2024, 2, 29, 12, 30, 15)
        book.title = "Changed"
        await session.delete(other)
        await session.commit()
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Author)) == 1
        titles = await session.scalars(select(Book.title).where(Book.title.like("Ch%")))
        assert titles.all() == ["Changed"]
        found = await session.scalars(select(Author).where(Author.name.in_(["Ann", "Bob"])))
        assert [each.name for each in found] == ["Ann"]


async def test_rolls_back(sessions: Any) -> None:
    with pytest.raises(LookupError):
        async with sessions.begin() as session:
            session.add(author("Gone"))
            await session.flush()
            raise LookupError
    async with sessions.begin() as session:
        session.add(author("Kept"))
        await session.flush()
        with pytest.raises(exc.IntegrityError) as raised:
            async with session.begin_nested():
                session.add(author("Kept"))
                await session.flush()
        assert raised.value.orig.args[0] == 1062
    async with sessions() as session:
        assert (await session.scalars(select(Author.name))).all() == ["Kept"]


async def test_inserts_many(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        rows = [{"name": f"name {number}"} for number in range(500)]
        await connection.execute(sqlalchemy.insert(Author), rows)
        count = await connection.scalar(text("SELECT COUNT(*) FROM sqlalchemy_authors"))
        assert count == 500


async def test_streams(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            sqlalchemy.insert(Author), [{"name": f"{number:05}"} for number in range(2000)]
        )
    async with engine.connect() as connection:
        result = await connection.stream(select(Author.name).order_by(Author.name))
        seen = [name async for (name,) in result]
        assert seen == [f"{number:05}" for number in range(2000)]
        async with connection.stream(select(Author.name).order_by(Author.name)) as result:
            assert (await result.first()) == ("00000",)
        assert await connection.scalar(text("SELECT 1")) == 1


async def test_meets_a_disconnect_and_reconnects(
    engine: AsyncEngine, server: RunningServer
) -> None:
    async with engine.connect() as connection:
        number = await connection.scalar(text("SELECT CONNECTION_ID()"))
        server.query(f"KILL {number}")
        with pytest.raises(exc.DBAPIError) as raised:
            await connection.execute(text("SELECT 1"))
        assert raised.value.connection_invalidated
        await connection.rollback()
        assert await connection.scalar(text("SELECT 1")) == 1


async def test_pings_before_it_lends(engine: AsyncEngine, server: RunningServer) -> None:
    pings = []
    event.listen(engine.sync_engine, "checkout", lambda *arguments: pings.append(arguments))
    async with engine.connect() as connection:
        number = await connection.scalar(text("SELECT CONNECTION_ID()"))
    server.query(f"KILL {number}")
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT CONNECTION_ID()")) != number
    assert len(pings) == 2


async def test_isolation_and_autocommit(engine: AsyncEngine) -> None:
    autocommitting = engine.execution_options(isolation_level="AUTOCOMMIT")
    async with autocommitting.connect() as connection:
        await connection.execute(sqlalchemy.insert(Author).values(name="at once"))
    async with engine.connect() as connection:
        assert await connection.scalar(select(Author.name)) == "at once"
        assert await connection.get_isolation_level() == "REPEATABLE READ"


async def test_reflects(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        metadata = sqlalchemy.MetaData()
        await connection.run_sync(metadata.reflect, only=["sqlalchemy_books"])
        columns = metadata.tables["sqlalchemy_books"].columns
        assert isinstance(columns["price"].type, Numeric)


async def test_errors_are_wrapped(engine: AsyncEngine) -> None:
    import pymysql.err

    async with engine.connect() as connection:
        with pytest.raises(exc.ProgrammingError) as raised:
            await connection.execute(text("SELECT * FROM no_such_table_at_all"))
        assert type(raised.value.orig) is pymysql.err.ProgrammingError
        assert raised.value.orig.args[0] == 1146
