"""Pictures of the HTML report of the demo's estate, light and dark: docs/images/report-*.png.

.venv/bin/python -m benchmarks.screenshots
"""

import tempfile
from pathlib import Path

from amiguard.report.html import render_html
from amiguard.report.interface import ALL
from benchmarks.chromium import chromium, painted
from benchmarks.html_estates import demo_report

_FOLDER = Path(__file__).parent.parent / "docs" / "images"
_SIZE = {"width": 1200, "height": 1340}


def main() -> None:
    """Audit the demo, write its report, and take the pictures."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.html")
        with demo_report() as report, path.open("w", encoding="utf-8") as stream:
            render_html(report, ALL, stream)
        with chromium() as browser:
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    color_scheme="dark" if scheme == "dark" else "light",
                    viewport={"width": _SIZE["width"], "height": _SIZE["height"]},
                    reduced_motion="reduce",
                )
                page.goto(path.as_uri())
                painted(page)
                page.screenshot(path=_FOLDER / f"report-{scheme}.png")
                page.locator("button.open").first.click()
                page.locator("#images").evaluate("section => section.scrollIntoView()")
                page.set_viewport_size({"width": _SIZE["width"], "height": 800})
                page.locator("#images").evaluate("section => section.scrollIntoView()")
                painted(page)
                page.screenshot(path=_FOLDER / f"report-images-{scheme}.png")


if __name__ == "__main__":
    main()
