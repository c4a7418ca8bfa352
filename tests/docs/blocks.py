"""The Python blocks of README and of the documentation."""

from __future__ import annotations
import __future__

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).resolve().parents[2]

#: Pages whose blocks are run, one after another and with the same names; others are compiled only.
RUN = (
    "README.md",
    "docs/install.md",
    "docs/quickstart.md",
    "docs/migration.md",
    "docs/pool.md",
    "docs/sa.md",
    "docs/guide/connecting.md",
    "docs/guide/pool-sizing.md",
    "docs/guide/streaming.md",
    "docs/guide/timeouts.md",
    "docs/guide/tls.md",
    "docs/guide/transactions.md",
    "docs/guide/typing.md",
    "docs/reference/errors.md",
)

#: A fenced block, and the comment before it that says why it is not run.
_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^>]+) -->\n+)?^```python\n(?P<code>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    code: str
    # Why it is not run.
    reason: str | None

    @property
    def is_program(self) -> bool:
        """It has a loop of its own; others are run as if they stood in a coroutine."""
        return "asyncio.run(" in self.code

    def compiled(self) -> CodeType:
        # Lines are counted as in the page.
        code = "\n" * (self.line - 1) + self.code
        # Annotations are not evaluated: Python 3.9 does not know `str | None`.
        flags = __future__.annotations.compiler_flag
        if not self.is_program:
            flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        return compile(code, str(ROOT / self.page), "exec", flags, dont_inherit=True)

    def on(self, host: str, port: int) -> Block:
        """With this server in place of the one that the documentation speaks of."""
        code = self.code.replace("127.0.0.1", host)
        code = code.replace('user="app"', f'port={port}, user="app"')
        code = code.replace(f"app:secret@{host}/", f"app:secret@{host}:{port}/")
        return Block(self.page, self.line, code, self.reason)


def pages() -> list[str]:
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def blocks(page: str) -> Iterator[Block]:
    text = (ROOT / page).read_text()
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("code")) + 1
        yield Block(page, line, found["code"], found["reason"])
