"""SQLAlchemy's ORM on this driver: `python -m examples.sqlalchemy_orm`."""

from __future__ import annotations

import asyncio

from sqlalchemy import URL, ForeignKey, String, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from examples.settings import server


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "orm_authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    books: Mapped[list[Book]] = relationship(back_populates="author")


class Book(Base):
    __tablename__ = "orm_books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    author_id: Mapped[int] = mapped_column(ForeignKey("orm_authors.id"))
    author: Mapped[Author] = relationship(back_populates="books")


def url() -> URL:
    where = server()
    return URL.create(
        "mysql+aiomysql",
        username=where["user"],
        password=where["password"],
        host=where["host"],
        port=where["port"],
        database=where["db"],
    )


async def main() -> None:
    engine = create_async_engine(url(), pool_pre_ping=True)
    session = async_sessionmaker(engine, expire_on_commit=False)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    try:
        async with session.begin() as db:
            db.add(Author(name="Ursula", books=[Book(title="A"), Book(title="B")]))
            db.add(Author(name="Stanisław", books=[Book(title="C")]))

        async with session() as db:
            query = select(Author).options(selectinload(Author.books)).order_by(Author.name)
            for author in await db.scalars(query):
                print(author.name, [book.title for book in author.books])
            print(await db.scalar(select(func.count()).select_from(Book)), "books")

        async with session() as db:
            # Rows come off the network as they are asked for.
            async for title in await db.stream_scalars(select(Book.title).order_by(Book.title)):
                print(title)
    finally:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
