"""What differs between the versions of SQLAlchemy that the tests run on."""

import sqlalchemy

VERSION = tuple(int(part) for part in sqlalchemy.__version__.split(".")[:2])


def select(*columns):
    return sqlalchemy.select(list(columns)) if VERSION < (1, 4) else sqlalchemy.select(*columns)


def labelled(query):
    """The SELECT with each column labelled `table_column`."""
    if VERSION < (1, 4):
        return query.apply_labels()
    return query.set_label_style(sqlalchemy.LABEL_STYLE_TABLENAME_PLUS_COL)
