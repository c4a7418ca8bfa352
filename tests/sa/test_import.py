"""aiomysql without SQLAlchemy, and the names that aiomysql.sa has."""

import subprocess
import sys

import aiomysql.sa
from aiomysql.sa import exc

WITHOUT_SQLALCHEMY = """
import sys
sys.modules["sqlalchemy"] = None  # importing it fails from here on
import aiomysql
try:
    import aiomysql.sa
except ImportError as error:
    print(error)
"""


def test_only_sa_needs_sqlalchemy():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SQLALCHEMY], capture_output=True, text=True, check=True
    )
    assert "pip install aiomysql[sa]" in done.stdout


def test_public_names():
    assert set(aiomysql.sa.__all__) == {
        "create_engine",
        "SAConnection",
        "Error",
        "ArgumentError",
        "InvalidRequestError",
        "NoSuchColumnError",
        "ResourceClosedError",
        "Engine",
    }
    assert all(hasattr(aiomysql.sa, name) for name in aiomysql.sa.__all__)


def test_exceptions_derive_from_each_other_as_upstream():
    assert exc.Error.__bases__ == (Exception,)
    assert exc.ArgumentError.__bases__ == (exc.Error,)
    assert exc.InvalidRequestError.__bases__ == (exc.ArgumentError,)
    assert exc.NoSuchColumnError.__bases__ == (KeyError, exc.InvalidRequestError)
    assert exc.ResourceClosedError.__bases__ == (exc.InvalidRequestError,)
