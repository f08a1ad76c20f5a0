"""Hooks of mkdocs: what stands outside of docs/ is published too, and no page loads anything from elsewhere.

On a repository's web page, links from docs/ to a schema, the changelog or the benchmarks lead to the file where it is.
The site has only what is in docs/: these files are added to it, and the links to them are turned.
"""

import posixpath
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_ROOT = Path(__file__).parent.parent
PUBLISHED: Mapping[str, str] = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "LICENSE.txt",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/RESULTS.md": "benchmark-results.md",
    "src/amiguard/files/plan_v1.schema.json": "schemas/plan_v1.schema.json",
    "src/amiguard/files/settings.schema.json": "schemas/settings.schema.json",
    "src/amiguard/report/diff_v1.schema.json": "schemas/diff_v1.schema.json",
    "src/amiguard/report/report_v1.schema.json": "schemas/report_v1.schema.json",
}
"""Where a file of the repository is on the site."""
_ELSEWHERE = {published: source for source, published in PUBLISHED.items()}
_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
_LOADS = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
_SAYS_ONLY = {"canonical", "alternate", "next", "prev"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is published from outside of docs/."""
    for source, published in PUBLISHED.items():
        files.append(File.generated(config, published, abs_src_path=str(_ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs names them
    """Turn links to files of the repository into links to where the site has them."""
    here = page.file.src_uri
    source = _ELSEWHERE.get(here, f"docs/{here}")

    def turned(match: re.Match[str]) -> str:
        meant = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[1]))
        there = PUBLISHED.get(meant, meant.removeprefix("docs/"))
        return f"]({posixpath.relpath(there, posixpath.dirname(here) or '.')}"

    return _LINK.sub(turned, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - mkdocs names them
    """Refuse a page that would load something from another host.

    Raises:
        PluginError: it would.
    """
    loads = _Loads()
    loads.feed(output)
    if loads.foreign:
        raise PluginError(f"{page.file.src_uri} loads from elsewhere: {', '.join(sorted(loads.foreign))}")
    return output


class _Loads(HTMLParser):
    """Collects what a browser fetches by itself from another host."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        values = dict(attrs)
        url = values.get(_LOADS.get(tag, "")) or ""
        if re.match(r"(\w+:)?//", url) and values.get("rel") not in _SAYS_ONLY:
            self.foreign.add(url)
