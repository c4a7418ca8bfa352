"""Blocks of all pages, without a server."""

from __future__ import annotations

import pytest

from tests.docs.blocks import RUN, blocks, pages


@pytest.mark.parametrize("page", [page for page in pages() if list(blocks(page))])
def test_blocks_are_python(page: str) -> None:
    for block in blocks(page):
        block.compiled()


def test_listed_pages_are_there() -> None:
    assert set(RUN) <= set(pages())
