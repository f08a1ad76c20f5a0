"""The HTML report in Chromium: what it does when it is used, and what it does not do."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from amiguard.core.result import TargetReport, TargetStatus
from amiguard.report.interface import Report
from amiguard.report.json_v1 import ResultV1, TargetV1
from amiguard.report.policy_v1 import trust_policy_v1
from amiguard.report.sanitize import printable
from amiguard.report.spool import Spool
from benchmarks.html_estates import made_report
from tests.browser.conftest import Open
from tests.unit.evidence_samples import OTHER, a_bin, all_evidence, of_snapshots, with_evidence, without
from tests.unit.html_pages import EXCEPTIONS, HOSTILE_NAMES, POLICY
from tests.unit.report_samples import FRANKFURT, HEADER, OUTCOME, STRANGER, image, judged, sample_spool
from tests.unit.v1_reports import STRANGER as STRANGER_V1
from tests.unit.v1_reports import a_report, a_result, a_target

if TYPE_CHECKING:
    from playwright.sync_api import Page

PUBLIC = "ami-00000000000000005"
PRIVATE = "ami-000000000000000a0"


@contextmanager
def whole_report() -> Iterator[Report]:
    with sample_spool() as spool:
        header = replace(HEADER, trust_policy=trust_policy_v1(POLICY, EXCEPTIONS))
        yield spool.report(header, OUTCOME, {"111122223333": "Platform"})


@contextmanager
def hostile_report() -> Iterator[Report]:
    with Spool() as spool:
        for number, name in enumerate(HOSTILE_NAMES):
            spool.add(judged(image(FRANKFURT, number, name, tags=((name, name),)), STRANGER))
        spool.finish(TargetReport(FRANKFURT, TargetStatus.AUDITED, images=len(HOSTILE_NAMES)))
        yield spool.report(HEADER, OUTCOME, {FRANKFURT.account_id: HOSTILE_NAMES[0]})


def _instead(text: str, _field: str, _usual: str) -> str:
    return text


def evidence_report(*names: str) -> AbstractContextManager[Report]:
    """Images with all there is of evidence; with names, in every text of it that others write."""
    hostile: list[ResultV1] = [
        {**a_result(number, grants=[STRANGER_V1, OTHER]), "evidence": all_evidence(partial(_instead, name))}
        for number, name in enumerate(names, 10)
    ]
    some = [with_evidence(1), of_snapshots(2), without("usage", "author", "keys"), *hostile]
    target: TargetV1 = {**a_target(images=len(some)), "recycle_bin": a_bin()}
    return nullcontext(a_report(some, [target]))


def ids(page: "Page") -> list[str]:
    """The image ids of the rows that can be seen, from top to bottom."""
    return [text.strip() for text in page.locator("tbody.image:visible th .id").all_inner_texts()]


def test_it_opens_from_a_file_without_error_and_without_asking_for_anything(open_report: Open) -> None:
    opened = open_report(whole_report())
    assert opened.problems == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert len(opened.requests) <= 2
    assert opened.page.get_by_role("heading", level=1).inner_text().startswith("Untrusted sharing found")


def test_its_policy_stops_scripts_that_someone_got_into_it(open_report: Open) -> None:
    opened = open_report(whole_report())
    opened.page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.owned=1\"><p style=\"color:red\">')"
    )
    opened.page.wait_for_function("document.images[0].complete")
    assert opened.page.evaluate("window.owned") is None
    assert opened.page.evaluate("getComputedStyle(document.body.lastElementChild).color") != "rgb(255, 0, 0)"
    assert any("Content Security Policy" in problem for problem in opened.problems)


def test_hostile_names_are_text(open_report: Open) -> None:
    opened = open_report(hostile_report())
    page = opened.page
    assert opened.problems == []
    assert page.evaluate("window.owned") is None
    assert page.locator("script").count() == 2
    assert page.locator("main :is(script, img, iframe, object, style, link, b)").count() == 0
    page.get_by_role("button", name="Open all").click()
    titles = page.locator("tbody.image > tr > th").evaluate_all("cells => cells.map(one => one.title)")
    assert sorted(titles) == sorted(map(printable, HOSTILE_NAMES))
    assert page.locator("bdi.long").inner_text() == "x" * 10_240
    # However long a name is, it moves nothing out of its place.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hostile_evidence_is_text(open_report: Open) -> None:
    opened = open_report(evidence_report(*HOSTILE_NAMES))
    page = opened.page
    assert opened.problems == []
    assert page.evaluate("window.owned") is None
    assert page.locator("main :is(script, img, iframe, object, style, link, b)").count() == 0
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate("window.owned") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cells = page.locator(".evidence td").all_inner_texts()
    for name in HOSTILE_NAMES:
        assert any(printable(name)[:40] in cell.replace("\n", "") for cell in cells), name


def test_the_details_of_an_image_say_who_uses_it_and_do_not_break_ids(open_report: Open) -> None:
    page = open_report(evidence_report()).page
    page.get_by_role("button", name="details of ami-00000000000000001").first.click()
    details = page.locator("tbody.image .more:visible")
    assert details.get_by_role("heading", name="In use", exact=True).is_visible()
    assert "14 instances, 1 launch template" in details.inner_text()
    account = details.locator(".evidence td", has_text=STRANGER_V1["grantee"]).first
    assert account.evaluate("cell => cell.firstChild.getClientRects().length") == 1
    # However much there is to tell, it stays inside of its row.
    assert details.evaluate(
        "row => [...row.querySelectorAll('table')].every(one => one.offsetWidth <= row.offsetWidth)"
    )
    assert page.locator("#evidence").inner_text().startswith("Evidence")


def test_rows_open_by_mouse_and_by_keyboard(open_report: Open) -> None:
    page = open_report(whole_report()).page
    button = page.get_by_role("button", name=f"details of {PUBLIC}")
    details = page.locator(f"tbody.image:has-text('{PUBLIC}') .more")
    assert button.get_attribute("aria-expanded") == "false"
    assert not details.is_visible()
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    assert details.is_visible()
    assert "every AWS account may launch it" in details.inner_text()
    for key in ("Enter", "Space"):
        before = details.is_visible()
        button.press(key)
        assert details.is_visible() is not before
    page.get_by_role("button", name="Open all").click()
    assert page.locator(".more:visible").count() == len(ids(page))
    page.get_by_role("button", name="Close all").click()
    assert page.locator(".more:visible").count() == 0


def test_columns_sort_by_mouse_and_by_keyboard(open_report: Open) -> None:
    page = open_report(whole_report()).page
    assert ids(page)[0] == PUBLIC
    table = page.locator("#table > thead")
    grantees = table.get_by_role("columnheader", name="Grantees")
    grantees.get_by_role("button").click()
    assert grantees.get_attribute("aria-sort") == "descending"
    numbers = [int(text.split()[0].replace(",", "")) for text in page.locator(".image td.num").all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] == 1001
    region = table.get_by_role("columnheader", name="Region")
    region.get_by_role("button").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert region.get_attribute("aria-sort") == "descending"
    assert grantees.get_attribute("aria-sort") is None
    regions = page.locator("tbody.image > tr:first-child > td:nth-child(4)").all_inner_texts()
    assert regions == sorted(regions, reverse=True)


def test_search_finds_names_ids_grantees_and_reasons(open_report: Open) -> None:
    page = open_report(whole_report()).page
    search, shown = page.get_by_label("Search"), page.locator("#shown")
    assert shown.inner_text() == "12 images"
    search.fill("999988887777")
    assert len(ids(page)) == 3
    assert shown.inner_text() == "3 of 12 images"
    search.fill("PLÄTFORM")
    assert ids(page) == [PRIVATE]
    search.fill("trust golden-2026.05")
    assert ids(page) == [PUBLIC]
    search.fill("there is no such thing")
    assert ids(page) == []
    assert shown.inner_text() == "0 of 12 images"
    search.fill("")
    assert len(ids(page)) == 12


def test_statuses_can_be_left_out(open_report: Open) -> None:
    page = open_report(whole_report()).page
    passing = page.locator("button.chip[data-level=pass]")
    passing.click()
    assert passing.get_attribute("aria-pressed") == "false"
    assert PRIVATE not in ids(page)
    assert len(ids(page)) == 8
    passing.press("Enter")
    assert len(ids(page)) == 12


def test_a_command_is_copied_as_it_is(open_report: Open) -> None:
    page = open_report(whole_report()).page
    page.get_by_role("button", name=f"details of {PUBLIC}").click()
    details = page.locator(f"tbody.image:has-text('{PUBLIC}') .more")
    button = details.get_by_role("button", name="Copy").first
    button.click()
    details.get_by_role("button", name="Copied").wait_for()
    page.get_by_label("Search").focus()
    page.keyboard.press("Control+V")
    assert page.get_by_label("Search").input_value() == details.locator("pre").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_until_the_reader_chooses(open_report: Open, scheme: str) -> None:
    page = open_report(whole_report(), color_scheme=scheme).page
    lightness = "Number(getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/)[0]) > 128"
    assert page.evaluate(lightness) is (scheme == "light")
    page.get_by_role("button", name="Dark colours" if scheme == "light" else "Light colours").click()
    assert page.evaluate(lightness) is (scheme == "dark")
    page.reload()
    assert page.evaluate(lightness) is (scheme == "dark")


def test_print_shows_what_fails_and_leaves_the_tools_out(open_report: Open) -> None:
    page = open_report(whole_report(), color_scheme="dark").page
    page.emulate_media(media="print")
    assert page.locator("tbody[data-level=public] .more").first.is_visible()
    assert page.locator("tbody[data-level=unknown] .more").first.is_visible()
    assert not page.locator("tbody[data-level=pass] .more").first.is_visible()
    assert not page.locator("#tools").is_visible()
    assert not page.locator(".copy").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_it_is_whole_without_its_script(open_report: Open) -> None:
    page = open_report(whole_report(), java_script_enabled=False).page
    assert page.locator("tbody[data-level=public] .more").is_visible()
    assert not page.locator("#tools").is_visible()
    assert not page.locator(".copy").first.is_visible()


def test_the_keyboard_reaches_the_images_at_once(open_report: Open) -> None:
    page = open_report(whole_report()).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the images"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "search"


def test_an_entry_of_the_picture_shows_its_lines(open_report: Open) -> None:
    page = open_report(whole_report()).page
    everyone = page.locator(".node[data-l='0']")
    everyone.hover()
    lit = page.locator(".link.on").evaluate_all("links => links.map(one => one.dataset.l)")
    assert lit
    assert set(lit) == {"0"}
    assert page.locator(".who.picked").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("made", [whole_report, evidence_report])
def test_axe_finds_no_serious_violation(
    open_report: Open, made: Callable[[], AbstractContextManager[Report]], scheme: str
) -> None:
    pytest.importorskip("axe_playwright_python", reason="the package axe-playwright-python is not installed")
    page = open_report(made(), color_scheme=scheme).page
    page.get_by_role("button", name="Open all").click()
    # The large one would take axe minutes, and has nothing that the others have not.
    for large in page.locator("tbody.image:has-text('crowd') button.open").all():
        large.click()
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    serious = [
        (one["id"], one["impact"], [node["html"] for node in one["nodes"]][:3])
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
    ]
    assert serious == []
    assert len(found["passes"]) > 20


def test_five_thousand_images_are_all_there(open_report: Open) -> None:
    opened = open_report(made_report(5_000))
    page = opened.page
    assert opened.problems == []
    assert page.locator("tbody.image").count() == 5_000
    shown, search = page.locator("#shown"), page.locator("#search")
    assert shown.inner_text() == "5,000 images, the first 300 shown"
    assert page.locator("tbody.image:visible").count() == 300
    # What is not shown is found.
    search.fill("service-3-004271")
    assert page.locator("tbody.image:visible").count() == 1
    search.fill("")
    page.get_by_text("Show 4,700 more").click()
    assert shown.inner_text() == "5,000 images"
    assert page.locator("tbody.image:visible").count() == 5_000


def test_one_image_is_one(open_report: Open) -> None:
    page = open_report(made_report(1)).page
    assert page.locator("#shown").inner_text() == "1 image"
