"""The tables of docs/servers.md: their rows, and why some cells are empty."""

from __future__ import annotations

from tests.page.model import Hole, Table

INTRODUCTION = """
# Servers

What the tests see on each server. They write this page, and every run compares what it sees with
it, on servers of the series that a column names. An empty cell has its reason below the table.
"""

_MARIADB = ("mariadb", "mariadb-sid")

_NO_PLUGIN = "This server has no such plugin."
_NO_PAM = "MySQL's plugin for PAM is not in its free edition."
_OTHER_PAM = (
    "MariaDB's PAM asks with `dialog` or with `mysql_clear_password`, as it is told at its start:"
    " one of the two servers for each."
)
_PRETENDED = "1045, or 2059: MySQL pretends that such an account is there, and picks a plugin."
_TLS_AT_START = (
    "MariaDB is told at its start which versions of TLS it speaks; the older one stands for both."
)

PLUGINS = Table(
    "Authentication plugins",
    """
An account of each plugin, over each transport. "logs in" also says that a wrong password and an
empty one were refused (1045 by the server; 2061 for an empty one and parsec), and that a password
of 200 characters and one of `pä ss'wörd \\ 密码 🔑` log in, as str and as bytes. A number is the
`OperationalError`'s: 2059 names the plugin, 1698 is the server's refusal of that transport.

The driver spoils one login in 256 with `client_ed25519`, which the server then refuses (1045). It
tries again where `auth_plugin="client_ed25519"` says that the account is of this plugin, as here;
without it a wrong password is not tried twice. With parsec it notices, and tries again by itself.
""",
    {
        "plugin": (
            "mysql_native_password",
            "caching_sha2_password, first login",
            "caching_sha2_password, cached",
            "client_ed25519",
            "parsec",
            "unix_socket, auth_socket",
            "mysql_clear_password (PAM)",
            "the same, named by `auth_plugin`",
            "dialog (PAM)",
            "sha256_password",
            "mysql_no_login",
        ),
        "over": ("TCP", "unix socket", "TLS", "TLS, not verified"),
    },
    (
        Hole(_NO_PLUGIN, ("mysql_native_password", "*"), ("mysql",)),
        Hole(_NO_PLUGIN, ("caching_sha2*", "*"), ("mariadb",)),
        Hole(_NO_PLUGIN, ("client_ed25519", "*"), ("mysql",)),
        Hole(_NO_PLUGIN, ("parsec", "*"), ("mariadb", "mysql")),
        Hole(_NO_PLUGIN, ("sha256_password", "*"), _MARIADB),
        Hole(_NO_PLUGIN, ("mysql_no_login", "*"), _MARIADB),
        Hole(_NO_PAM, ("*PAM*", "*"), ("mysql",)),
        Hole(_NO_PAM, ("the same*", "*"), ("mysql",)),
        Hole(_OTHER_PAM, ("mysql_clear_password (PAM)", "*"), ("mariadb-sid",)),
        Hole(_OTHER_PAM, ("the same*", "*"), ("mariadb-sid",)),
        Hole(_OTHER_PAM, ("dialog (PAM)", "*"), ("mariadb",)),
    ),
)

ACCOUNTS = Table(
    "Accounts",
    "What else may be with an account, over TCP. A number is the `OperationalError`'s.",
    {
        "account": (
            "mysql_native_password, empty password",
            "caching_sha2_password, empty password",
            "client_ed25519, empty password",
            "parsec, empty password",
            "locked",
            "password expired",
            "not there",
            "named host, from another",
        )
    },
    (
        Hole(_NO_PLUGIN, ("mysql_native*",), ("mysql",)),
        Hole(_NO_PLUGIN, ("client_ed25519*",), ("mysql",)),
        Hole(_NO_PLUGIN, ("parsec*",), ("mariadb", "mysql")),
        Hole(_NO_PLUGIN, ("caching_sha2*",), ("mariadb",)),
        Hole(_PRETENDED, ("not there",), ("mysql",)),
        Hole(_PRETENDED, ("named host, from another",), ("mysql",)),
    ),
)

TLS = Table(
    "TLS",
    """
What the server shows, or the client wishes, and what comes of it: the version of TLS, or the
error. 2003 is an `OperationalError`, followed by its cause, and for a certificate by OpenSSL's
number: 10 expired, 20 unknown authority, 62 another host. `NotSupportedError` names the wish.
""",
    {
        "case": (
            "no `ssl`",
            "`ssl=False`",
            "a context with the authority",
            "the same, host by name",
            "minimum version TLS 1.3",
            "unknown authority",
            "expired certificate",
            "certificate for another address",
            "certificate for another name",
            "the same, `check_hostname` off",
            "unknown authority, `check_hostname` off",
            "expired certificate, `check_hostname` off",
            "unknown authority, `CERT_NONE`",
            "`True`, authority unknown to the system",
            "`{}`, unknown authority",
            "`{'ca': …}`",
            "`{'ca': …}`, another authority",
            "REQUIRE SSL, in the clear",
            "REQUIRE SSL, TLS",
            "REQUIRE X509, client certificate",
            "REQUIRE X509, none",
            "revocation lists wished",
            "some ciphers alone wished",
            "maximum version TLS 1.2",
            "OP_NO_TLSv1_3",
            "TLS 1.2 alone on the server",
            "TLS 1.2 alone, minimum version TLS 1.2",
            "TLS 1.2 alone, minimum version TLS 1.3",
            "no TLS on the server, a context",
            "no TLS on the server, `{}`",
            "no TLS on the server, `True`",
            "no TLS on the server, no `ssl`",
        )
    },
    (
        Hole(_TLS_AT_START, ("* on the server*",), ("mariadb-sid",)),
        Hole(_TLS_AT_START, ("TLS 1.2 alone, *",), ("mariadb-sid",)),
    ),
)

_WITHOUT_CODEC = ("armscii8", "dec8", "eucjpms", "geostd8", "hp8", "keybcs2", "macce", "swe7")

CHARSETS = Table(
    "Character sets",
    """
Every character set that PyMySQL knows, as `charset=`: the collation that the session has, which is
the one that aiomysql 0.3.2 gets. Each also says that text comes back as it was, that the server
reads it as Python writes it, that `set_charset()` gives the same, and that no parameter leaves its
quotes: every byte from 0x80 on before a quote and before a backslash, and characters that end in
one, as str, bytes, bytearray and memoryview, with and without `NO_BACKSLASH_ESCAPES` and
`ANSI_QUOTES`.
""",
    {
        "charset": (
            *("utf8mb4", "utf8mb3", "ascii", "binary", "latin1", "latin2", "latin5", "latin7"),
            *("cp850", "cp852", "cp866", "cp1250", "cp1251", "cp1256", "cp1257", "koi8r", "koi8u"),
            *("greek", "hebrew", "macroman", "tis620"),
            *("big5", "euckr", "gb2312", "gbk", "gb18030", "sjis", "cp932", "ujis"),
            *_WITHOUT_CODEC,
        )
    },
)

TABLES = [PLUGINS, ACCOUNTS, TLS, CHARSETS]
