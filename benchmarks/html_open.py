"""How long the HTML report of many images takes to be written, and to be opened in Chromium.

    .venv/bin/python -m benchmarks.html_open [IMAGES ...]

Without arguments: 500, 5,000 and 100,000 images. Opened means that the page has been painted and its script has run.
"""

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from amiguard.report.html import render_html
from amiguard.report.interface import ALL
from benchmarks.chromium import chromium, painted
from benchmarks.html_estates import made_report

_SIZES = (500, 5_000, 100_000)


def main() -> None:
    """Measure each size, the smallest first: the peak of memory is that of the process until then."""
    sizes = sorted(int(argument.replace(",", "")) for argument in sys.argv[1:]) or list(_SIZES)
    with tempfile.TemporaryDirectory() as folder:
        pages = [(images, Path(folder, f"{images}.html")) for images in sizes]
        for images, path in pages:
            _write(images, path)
        if shutil.which("chromium") is None:
            print("no chromium on this machine: opening is not measured")
            return
        for images, path in pages:
            _open(images, path)


def _write(images: int, path: Path) -> None:
    with made_report(images) as report, path.open("w", encoding="utf-8") as stream:
        start = time.perf_counter()
        render_html(report, ALL, stream)
        took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = path.stat().st_size / 1e6
    print(f"{images:>9,} images: written in {took:5.2f} s, {size:5.1f} MB, peak memory {peak:.0f} MB")


def _open(images: int, path: Path) -> None:
    with chromium() as browser:
        # The first page pays for the start of the browser.
        browser.new_page().goto("about:blank")
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        start = time.perf_counter()
        page.goto(path.as_uri())
        painted(page)
        print(f"{images:>9,} images: opened in {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
