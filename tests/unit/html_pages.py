"""Pages of the HTML report, as they are read."""

import io
from collections import Counter
from collections.abc import Sequence
from datetime import date

import lxml.html

from amiguard.core.exception import (
    AnyGrantee,
    ImageException,
    ImageSelector,
    TagSelector,
)
from amiguard.core.grantee import Everyone
from amiguard.core.result import CheckResult, TargetReport, TargetStatus
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, TrustEntry, TrustPolicy
from amiguard.report.html import render_html
from amiguard.report.interface import ALL, Report, StatusFilter
from amiguard.report.spool import Spool
from tests.unit.report_samples import (
    sample_report,
)


def html_of(report: Report, shown: StatusFilter = ALL) -> str:
    stream = io.StringIO()
    render_html(report, shown, stream)
    return stream.getvalue()


def page_of(text: str) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(text)


def sample_page(shown: StatusFilter = ALL) -> lxml.html.HtmlElement:
    with sample_report() as report:
        return page_of(html_of(report, shown))


def text_of(page: lxml.html.HtmlElement, selector: str) -> str:
    """The words of what an XPath finds, with single spaces."""
    return " ".join(" ".join(str(one.text_content()) for one in page.xpath(selector)).split())


def estate(results: Sequence[CheckResult]) -> Spool:
    spool = Spool()
    for result in results:
        spool.add(result)
    for target, images in Counter(result.target for result in results).items():
        spool.finish(TargetReport(target, TargetStatus.AUDITED, images=images))
    return spool


POLICY = TrustPolicy(
    (
        TrustEntry(TrustedAccount("222233334444"), name="Staging", reason="golden images"),
        TrustEntry(TrustedAccount("333344445555"), name="Contractor", expires=date(2026, 6, 14)),
        TrustEntry(TrustedOrganization("o-partner1234", "999988887777"), expires=date(2026, 7, 15)),
        TrustEntry(TrustedUnit(None, "ou-root-bbbbbbbb"), expires=date(2026, 6, 15)),
        TrustEntry(TrustedOrganization(None), expires=date(2027, 1, 1)),
    )
)
EXCEPTIONS = (
    ImageException(
        images=ImageSelector(
            names=("market-*", "shop-*"), tags=(TagSelector("Purpose", "public"), TagSelector(None, "x"))
        ),
        grantees=(Everyone(), TrustedAccount("777788889999")),
        reason="marketplace image",
        owner="platform@example.com",
        expires=date(2027, 6, 30),
    ),
    ImageException(
        images=ImageSelector(ids=("ami-00000000000000001",), accounts=("111122223333",), regions=("eu-west-1",)),
        grantees=AnyGrantee(),
        reason="a training",
        owner="academy@example.com",
    ),
)

HOSTILE_NAMES = (
    "</script><script>window.owned=1</script>",
    "<img src=x onerror=window.owned=1>",
    "\"><b onmouseover='window.owned=1'>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;not a tag&gt; &amp;",
    "\u202egnp.exe\u2066",
    "zero\u200bwidth\ufeff",
    "null\x00byte\x1b[31m\x07",
    "\ud800 alone",
    "a\r\nb\tc",
    "x" * 10_240,
    "\u05d0\u05d1\u05d2 right to left",
    "",
)
