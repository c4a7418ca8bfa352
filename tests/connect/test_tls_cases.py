"""TLS, case by case: what becomes of a connect, and what each failure looks like."""

from __future__ import annotations

import ssl
import warnings
from dataclasses import dataclass, field
from typing import Any, Callable

import aiomysql
import pymysql.err
import pytest

from tests.connect.certificates import HOSTS, TlsServer
from tests.page.tables import TLS

Wishes = Callable[[TlsServer], Any]


@dataclass(frozen=True)
class Case:
    """What the server shows and the client wishes, and what comes of it."""

    expected: str
    wishes: Wishes = lambda server: None
    shows: Callable[[TlsServer], None] = lambda server: None
    arguments: dict[str, Any] = field(default_factory=dict)


def context(server: TlsServer, **attributes: Any) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=server.authority.file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, value in attributes.items():
            setattr(made, name, value)
    return made


def having(**attributes: Any) -> Wishes:
    return lambda server: context(server, **attributes)


def verified_by(name: str) -> Wishes:
    return lambda server: {"ca": getattr(server, name).file}


def with_client_certificate(server: TlsServer) -> dict[str, str]:
    cert, key = server.authority.issue("client", "client.example")
    return {"ca": server.authority.file, "cert": cert, "key": key}


def few_ciphers(server: TlsServer) -> ssl.SSLContext:
    made = context(server)
    made.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    return made


def stranger(server: TlsServer) -> None:
    server.show(server.stranger, *HOSTS)


def elsewhere(server: TlsServer) -> None:
    server.show(server.authority, "elsewhere.example", "192.0.2.1")


def account(requirement: str) -> Callable[[TlsServer], None]:
    return lambda server: server.query(
        "CREATE USER IF NOT EXISTS 'strict'@'%' IDENTIFIED BY 'throw-away'",
        f"ALTER USER 'strict'@'%' REQUIRE {requirement}",
    )


UNKNOWN = "2003: SSLCertVerificationError 20"
EXPIRED = "2003: SSLCertVerificationError 10"
OTHER_NAME = "2003: SSLCertVerificationError 62"
STRICT = {"user": "strict", "db": None}
NO_NAME = {"check_hostname": False}
NOTHING = {"check_hostname": False, "verify_mode": ssl.CERT_NONE}

CASES = {
    "no `ssl`": Case("in the clear"),
    "`ssl=False`": Case("in the clear", lambda server: False),
    "a context with the authority": Case("TLSv1.3", context),
    "the same, host by name": Case("TLSv1.3", context, arguments={"host": "localhost"}),
    "minimum version TLS 1.3": Case("TLSv1.3", having(minimum_version=ssl.TLSVersion.TLSv1_3)),
    "unknown authority": Case(UNKNOWN, context, stranger),
    "expired certificate": Case(EXPIRED, context, TlsServer.show_expired),
    "certificate for another address": Case(OTHER_NAME, context, elsewhere),
    "certificate for another name": Case(OTHER_NAME, context, elsewhere, {"host": "localhost"}),
    "the same, `check_hostname` off": Case("TLSv1.3", having(**NO_NAME), elsewhere),
    "unknown authority, `check_hostname` off": Case(UNKNOWN, having(**NO_NAME), stranger),
    "expired certificate, `check_hostname` off": Case(
        EXPIRED, having(**NO_NAME), TlsServer.show_expired
    ),
    "unknown authority, `CERT_NONE`": Case("TLSv1.3", having(**NOTHING), stranger),
    "`True`, authority unknown to the system": Case(UNKNOWN, lambda server: True),
    "`{}`, unknown authority": Case("TLSv1.3", lambda server: {}, stranger),
    "`{'ca': …}`": Case("TLSv1.3", verified_by("authority")),
    "`{'ca': …}`, another authority": Case(UNKNOWN, verified_by("stranger")),
    "REQUIRE SSL, in the clear": Case("1045", shows=account("SSL"), arguments=STRICT),
    "REQUIRE SSL, TLS": Case("TLSv1.3", context, account("SSL"), STRICT),
    "REQUIRE X509, client certificate": Case(
        "TLSv1.3", with_client_certificate, account("X509"), STRICT
    ),
    "REQUIRE X509, none": Case("1045", verified_by("authority"), account("X509"), STRICT),
    "revocation lists wished": Case(
        "NotSupportedError", having(verify_flags=ssl.VERIFY_CRL_CHECK_LEAF)
    ),
    "some ciphers alone wished": Case("NotSupportedError", few_ciphers),
    "maximum version TLS 1.2": Case(
        "NotSupportedError", having(maximum_version=ssl.TLSVersion.TLSv1_2)
    ),
    "OP_NO_TLSv1_3": Case("NotSupportedError", having(options=ssl.OP_NO_TLSv1_3)),
}


async def outcome(server: TlsServer, wishes: Any, **arguments: Any) -> str:
    """The version of TLS, or the error and its cause."""
    try:
        connection = await aiomysql.connect(**server.connect_kwargs(ssl=wishes, **arguments))
    except pymysql.err.NotSupportedError as error:
        assert "ssl" in str(error)
        return "NotSupportedError"
    except pymysql.err.OperationalError as error:
        if error.args[0] != 2003:
            return str(error.args[0])
        cause = error.__cause__
        code = getattr(cause, "verify_code", "")
        return f"2003: {type(cause).__name__} {code}".strip()
    try:
        async with connection.cursor() as cursor:
            await cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_version'")
            version: str = (await cursor.fetchone())[1]
        assert connection._secure == bool(version)
        return version or "in the clear"
    finally:
        connection.close()


@pytest.mark.newest
@pytest.mark.parametrize("name", CASES)
async def test_a_case(tls_server: TlsServer, record: Any, name: str) -> None:
    case = CASES[name]
    wishes = case.wishes(tls_server)
    case.shows(tls_server)
    seen = await outcome(tls_server, wishes, **case.arguments)
    assert seen == case.expected
    record(TLS, tls_server, (name,), seen)


# MariaDB is told at its start which versions it speaks, so these have servers of their own.

RESTRICTED = {
    "TLS 1.2 alone on the server": ("TLSv1.2", Case("TLSv1.2", context)),
    "TLS 1.2 alone, minimum version TLS 1.2": (
        "TLSv1.2",
        Case("TLSv1.2", having(minimum_version=ssl.TLSVersion.TLSv1_2)),
    ),
    "TLS 1.2 alone, minimum version TLS 1.3": (
        "TLSv1.2",
        Case("2003: SSLError", having(minimum_version=ssl.TLSVersion.TLSv1_3)),
    ),
    "no TLS on the server, a context": ("", Case("2003: SSLError", context)),
    "no TLS on the server, `{}`": ("", Case("2003: SSLError", lambda server: {})),
    "no TLS on the server, `True`": ("", Case("2003: SSLError", lambda server: True)),
    "no TLS on the server, no `ssl`": ("", Case("in the clear")),
}


@pytest.mark.parametrize("name", RESTRICTED)
async def test_a_server_with_less(
    tls_server: TlsServer, restricted: Any, record: Any, name: str
) -> None:
    versions, case = RESTRICTED[name]
    server = restricted(tls_server, versions)
    seen = await outcome(server, case.wishes(server))
    assert seen == case.expected
    record(TLS, tls_server, (name,), seen)
