"""A real Chromium for the HTML report: the system's, driven by Playwright. Without one, these tests are skipped."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from amiguard.report.html import render_html
from amiguard.report.interface import ALL, Report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@dataclass
class Opened:
    """A page, and what went on while it was open."""

    page: "Page"
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Open = Callable[..., Opened]


# Not for the whole session: Playwright keeps an event loop running in this thread, and other tests start their own.
@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    if shutil.which("chromium") is None:
        pytest.skip("no chromium on this machine: install it, for example with `apt-get install chromium`")
    pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    from benchmarks.chromium import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def open_report(browser: "Browser", tmp_path: Path) -> Iterator[Open]:
    """Render a report into a file and open it from there: `open_report(sample_report(), color_scheme="dark")`."""
    contexts = []

    def open_it(made: AbstractContextManager[Report], **options: Any) -> Opened:
        path = tmp_path / "report.html"
        with made as report, path.open("w", encoding="utf-8") as stream:
            render_html(report, ALL, stream)
        context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        opened = Opened(context.new_page())
        page = opened.page
        page.on("console", lambda message: opened.problems.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: opened.problems.append(str(error)))
        page.on("request", lambda request: opened.requests.append(request.url))
        page.goto(path.as_uri())
        return opened

    yield open_it
    for context in contexts:
        context.close()
