"""The system's Chromium, for what is measured or pictured in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""No network, and nothing that Chromium would do in the background."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it, and end it.

    Raises:
        FileNotFoundError: it is not installed.
    """
    executable = shutil.which("chromium")
    if executable is None:
        raise FileNotFoundError("chromium is not installed: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def painted(page: Page) -> None:
    """Wait until the page has been laid out and painted."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
