"""The format `markdown`: whole outputs, and the limit of a comment."""

import io
import re

import pytest

from amiguard.core.result import Status
from amiguard.report.interface import ALL, NEEDS_ATTENTION, Report, StatusFilter
from amiguard.report.json_v1 import TargetV1
from amiguard.report.markdown import render_markdown
from tests.unit.hostile_strings import HOSTILE
from tests.unit.report_readers import read_markdown
from tests.unit.report_samples import sample_report
from tests.unit.v1_reports import a_report, a_result, a_target

WHOLE = """\
## amiguard: this needs attention

**1 of 4 images can be launched by grantees that are not trusted: 1 account.**

4 images in 2 targets (1 audited, 1 failed, 0 skipped). Results: 1 pass, 1 fail, 1 suppressed, 1 unknown. \
The audit is incomplete: 1 target failed, 1 result is unknown.

### Failing: 1

| severity | account | region | image | not trusted |
|---|---|---|---|---|
| **high** | <code>012345678901</code> <code>Gold</code> | <code>eu-central-1</code> \
| <code>ami-00000000000000001</code> <code>a&#124;&#96;b&#96;</code> | <code>999988887777</code> |

### Unknown: 1

Not read, or not decided: not clean.

| account | region | image | why |
|---|---|---|---|
| <code>012345678901</code> <code>Gold</code> | <code>eu-central-1</code> \
| <code>ami-00000000000000002</code> <code>golden</code> | <code>not read</code> |

### Not seen: 1 target

- **failed**: <code>012345678901 all-regions</code>: <code>denied &#64;x</code>

<details>
<summary>The rest: 1 suppressed, 1 pass</summary>

| status | account | region | image | why |
|---|---|---|---|---|
| suppressed | <code>012345678901</code> <code>Gold</code> | <code>eu-central-1</code> \
| <code>ami-00000000000000003</code> <code>golden</code> | <code>not read</code> |
| pass | <code>012345678901</code> <code>Gold</code> | <code>eu-central-1</code> \
| <code>ami-00000000000000004</code> <code>golden</code> | <code>not read</code> |

</details>
"""


def text(report: Report, shown: StatusFilter = ALL) -> str:
    stream = io.StringIO()
    render_markdown(report, shown, stream)
    return stream.getvalue()


def test_a_whole_comment() -> None:
    results = [
        a_result(1, name="a|`b`"),
        a_result(2, "unknown", grants=[]),
        a_result(3, "suppressed", grants=[]),
        a_result(4, "pass", grants=[]),
    ]
    for result in results[1:]:
        result["message"] = "not read"
    named: TargetV1 = {**a_target(), "account_name": "Gold"}
    failed: TargetV1 = {**a_target("*"), "status": "failed", "reason": "denied @x"}
    assert text(a_report(results, [named, failed], complete=False)) == WHOLE


def test_nothing_is_folded_when_nothing_else_is_shown() -> None:
    with sample_report() as report:
        written = text(report, NEEDS_ATTENTION)
        assert "<details>" not in written
        verdict = text(report, StatusFilter.of([]))
    assert written.startswith(verdict[: verdict.index("### Not seen")].rstrip())
    assert "### Failing" not in verdict
    assert verdict.endswith("<code>the region is not enabled in this account</code>\n")


def test_the_worst_come_first_and_the_others_stay_in_order() -> None:
    results = [
        a_result(1, severity="medium"),
        a_result(2, severity="high"),
        a_result(3, severity="critical"),
        a_result(4, severity="high"),
    ]
    found = re.findall(r"\*\*(\w+)\*\* .*?<code>(ami-\w+)", text(a_report(results)))
    assert [(severity, int(image[-1])) for severity, image in found] == [
        ("critical", 3),
        ("high", 2),
        ("high", 4),
        ("medium", 1),
    ]


@pytest.mark.parametrize("name", ["golden", HOSTILE["long and hostile"], "|" * 500, "\U0001f600" * 500])
def test_a_large_report_is_cut_with_counts(name: str) -> None:
    results = [
        a_result(number, status, name=name)
        for status in ("fail", "unknown", "suppressed", "pass")
        for number in range(1500)
    ]
    targets: list[TargetV1] = [
        {**a_target(f"r{number}"), "status": "failed", "reason": f"{number} {name}"} for number in range(500)
    ]
    written = text(a_report(results, targets, complete=False))
    read_markdown(written)
    assert written.startswith("## amiguard: this needs attention")
    assert "Results: 1,500 pass, 1,500 fail, 1,500 suppressed, 1,500 unknown." in written
    assert len(written.encode()) > 40_000
    sections = re.split(r"\n### |\n<details>", written)
    counted = [
        (section.count("\n| ") - 1) + int(more[1].replace(",", ""))
        for section in sections[1:]
        if "\n| " in section and (more := re.search(r"And ([\d,]+) more, not shown here", section))
    ]
    assert counted == [1500, 1500, 3000]
    (not_seen,) = (section for section in sections if section.startswith("Not seen: 500 targets"))
    more = re.search(r"And ([\d,]+) more", not_seen)
    assert more
    assert not_seen.count("\n- ") + int(more[1]) == 500


def test_what_was_asked_for_cannot_grow_the_verdict() -> None:
    report = a_report([a_result()])
    report.audit["narrowed_to"] = {"images": [], "tags": ["@octocat #1 [x](y)"] * 5000}
    written = text(report)
    read_markdown(written)
    assert "### Failing: 1" in written


def test_a_clean_audit_says_so() -> None:
    written = text(a_report([a_result(1, "pass", grants=[])], [a_target()]), StatusFilter.of([Status.FAIL]))
    assert written.startswith("## amiguard: nothing fails\n\n**No image can be launched")
