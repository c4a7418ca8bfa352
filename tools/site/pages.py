"""A hook of mkdocs: which pages the site has, in which order.

Pages that lie beside README.md, where people look for them, are taken along; their links, and the
links to them, are put right. A page that is listed and not there is left out; one that is there and
not listed goes to the end.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

# Installed in the documentation's environment alone.
from mkdocs.structure.files import File, Files  # type: ignore[import-not-found]

ROOT = Path(__file__).resolve().parents[2]

#: Files beside README.md, and their pages.
OUTSIDE = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}

SECTIONS: dict[str, list[str]] = {
    "Start": ["index.md", "install.md", "quickstart.md", "migration.md", "differences.md"],
    "Guide": [
        "guide/connecting.md",
        "guide/streaming.md",
        "guide/transactions.md",
        "pool.md",
        "guide/pool-sizing.md",
        "guide/timeouts.md",
        "guide/tls.md",
        "guide/typing.md",
        "observability.md",
        "what-happens-when.md",
        "servers.md",
        "sa.md",
        "examples.md",
    ],
    "Reference": [
        "reference/connection.md",
        "reference/cursors.md",
        "reference/pool.md",
        "reference/errors.md",
        "reference/sa.md",
    ],
    "Performance": [
        "performance/index.md",
        "performance/results.md",
        "performance/pinned.md",
        "performance/scale.md",
        "performance/fairness.md",
        "performance/footprint.md",
        "performance/instructions.md",
        "performance/soak.md",
    ],
    "The project": [
        "architecture.md",
        "security.md",
        "testing.md",
        "contributing.md",
        "changelog.md",
    ],
}


def on_files(files: Files, config: Any) -> Files:
    for name, page in OUTSIDE.items():
        if (ROOT / name).exists():
            files.append(File.generated(config, page, abs_src_path=str(ROOT / name)))
    there = {file.src_uri for file in files.documentation_pages()}
    nav = [
        {section: [page for page in pages if page in there]} for section, pages in SECTIONS.items()
    ]
    listed = {page for pages in SECTIONS.values() for page in pages}
    if more := sorted(there - listed):
        nav.append({"More": more})
    config.nav = [section for section in nav if any(section.values())]
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links as the repository has them become links as the site has them."""
    here = page.file.src_uri
    is_outside = here in OUTSIDE.values()

    def target(found: re.Match[str]) -> str:
        path, anchor = found[1], found[2] or ""
        if is_outside and path.startswith("docs/"):
            path = path.removeprefix("docs/")
        elif path.lstrip("./") in OUTSIDE:
            path = "../" * here.count("/") + OUTSIDE[path.lstrip("./")]
        elif "examples/" in path:
            path, anchor = "../" * here.count("/") + "examples.md", ""
        return f"]({path}{anchor})"

    return re.sub(r"\]\(([^)#:\s]+)(#[^)\s]*)?\)", target, markdown)
