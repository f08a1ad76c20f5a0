"""What a notification says of an audit; hostile names in it are text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.notify.change import Change, compare, to_remember
from amiguard.notify.message import Verdict, build_message
from amiguard.notify.plain import plain, plain_grantee
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.json_v1 import ResultV1
from tests.unit.hostile_strings import HOSTILE
from tests.unit.notify_surveys import found, surveyed
from tests.unit.v1_reports import STRANGER, a_report, a_result, a_target

EVERYONE: GrantV1 = {"kind": "everyone", "grantee": "all", "decision": "untrusted", "reason": "not in the trust policy"}


def about_a_target(number: int, message: str) -> ResultV1:
    result = a_result(number, severity="medium", grants=())
    result["image"] = None
    result["message"] = message
    return result


# --- what it says


def test_a_whole_message() -> None:
    unit = "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-ab12-cdefghij"
    grants: list[GrantV1] = [
        STRANGER,
        EVERYONE,
        {"kind": "organizational_unit", "grantee": unit, "decision": "untrusted", "reason": ""},
        {"kind": "account", "grantee": "222233334444", "decision": "trusted", "reason": ""},
    ]
    results = [
        *(a_result(number, name="golden_image v1.2") for number in range(1, 6)),
        a_result(6, severity="critical", grants=grants, name="ubuntu/jammy-22.04 (base)"),
        about_a_target(7, "Block public access is off."),
        a_result(8, status="unknown"),
        a_result(9, status="pass"),
    ]
    message = build_message(
        surveyed(a_report(results, [a_target()], complete=False)),
        change=Change(first=False, new=2, changed=1, resolved=0),
        report_files=["out/report.html", "x.json"],
    )
    assert message.verdict is Verdict.FAIL
    assert message.title == "amiguard: FAIL, 7 fail (1 critical, 5 high, 1 medium), 1 unknown, incomplete"
    where = "account 012345678901, eu-central-1"
    assert message.body.split("\n") == [
        "9 images in 1 target audited by account 111122223333. "
        "The audit is incomplete: what was not read may be shared too.",
        "",
        "Since the last message: 2 new, 1 with another severity.",
        "",
        "The worst 5 of 7:",
        f"critical: ami-00000000000000006 (ubuntu/jammy-22.04 (base)), {where}: everyone, 999988887777 and 1 more",
        *(f"high: ami-0000000000000000{n} (golden_image v1.2), {where}: 999988887777" for n in range(1, 5)),
        "",
        "Full report: out/report.html, x.json",
    ]


def test_findings_about_targets_and_units() -> None:
    grants: list[GrantV1] = [
        {
            "kind": "organizational_unit",
            "grantee": "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-ab12-cdefghij",
            "decision": "untrusted",
            "reason": "",
        }
    ]
    results = [
        about_a_target(1, "It is off: <a>"),
        a_result(2, grants=grants, name=""),
    ]
    body = build_message(surveyed(a_report(results, [a_target()]))).body
    assert "medium: account 012345678901, eu-central-1: It is off\\x3a \\x3ca\\x3e" in body
    assert "ami-00000000000000002, account 012345678901, eu-central-1: o-abcdefghij/ou-ab12-cdefghij\n" in body
    assert body.endswith("The full report is what the command printed.")


@pytest.mark.parametrize(
    ("complete", "title", "verdict"),
    [
        (True, "amiguard: clean, nothing fails, 0 unknown, complete", Verdict.CLEAN),
        (False, "amiguard: INCOMPLETE, nothing known fails, 0 unknown, incomplete", Verdict.INCOMPLETE),
    ],
)
def test_nothing_fails(*, complete: bool, title: str, verdict: Verdict) -> None:
    message = build_message(
        found(fail=0, complete=complete), report_url="https://ci.example/a_b?c#d", report_files=["x"]
    )
    assert (message.title, message.verdict) == (title, verdict)
    assert "fails:" not in message.body
    assert message.body.endswith("Full report: https://ci.example/a_b?c#d")
    assert (
        "resolved"
        not in build_message(
            found(fail=0, complete=False), change=Change(first=False, new=0, changed=0, resolved=3)
        ).body
    )


# --- nothing in it is markup

SAFE = re.compile(r"(?:[\w ()/,+=;%'\"\\-]|\.(?![^\W\d_]))*")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_are_text(text: str) -> None:
    grants: list[GrantV1] = [{**STRANGER, "kind": "unrecognized", "grantee": text}]
    result = a_result(name=text, grants=grants, region=text)
    body = build_message(surveyed(a_report([{**result, "account_id": text}], [a_target()]))).body
    lines = body.split("\n")
    assert len(lines) == 6
    assert not re.search(r"[@<>&*~`\[\]|#!$^{}]|://|www\.|\.example", lines[3])
    assert len(lines[3]) < 300
    assert body.isprintable() or body.replace("\n", "").isprintable()


@given(st.text(), st.integers(10, 80))
def test_plain_text_is_safe_and_fits(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert len(shown) <= limit
    assert SAFE.fullmatch(shown)
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("my_image-1.2 (x86/64)", "my_image-1.2 (x86/64)"),
        ("R\u00e9f\u00e9rence 2026.05.06", "R\u00e9f\u00e9rence 2026.05.06"),
        ("@channel", r"\x40channel"),
        ("<!here> <@U012>", r"\x3c\x21here\x3e \x3c\x40U012\x3e"),
        ("https://evil.example", r"https\x3a//evil\x2eexample"),
        ("a_b _c_ __d__", r"a_b \x5fc\x5f \x5f\x5fd\x5f\x5f"),
        ("\u202e\U0001f600\ud800", r"\u202e\U0001f600\ud800"),
        ("end.", "end."),
        ("x" * 21, "x" * 17 + "..."),
        ("@" * 10, r"\x40\x40\x40\x40..."),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert plain(text, 40 if len(shown) > 20 else 20) == shown


def test_arns_of_organizations_are_their_ids() -> None:
    assert plain_grantee("arn:aws-cn:organizations::111122223333:organization/o-abcdefghij", 60) == "o-abcdefghij"
    assert plain_grantee("arn:aws:other", 60) == r"arn\x3aaws\x3aother"


# --- what is a change


def test_changes() -> None:
    three = found(fail=3)
    assert compare(None, three) == Change(first=True, new=3, changed=0, resolved=0)
    assert not compare(None, found(fail=0))
    told = to_remember(None, three)
    assert not compare(told, three)
    assert compare(told, found(fail=3, first=2)) == Change(first=False, new=1, changed=0, resolved=1)
    assert compare(dict.fromkeys(told, "critical"), three) == Change(first=False, new=0, changed=3, resolved=0)


def test_an_incomplete_audit_resolves_nothing() -> None:
    told = to_remember(None, found(fail=3))
    cut = found(fail=1, complete=False)
    assert not compare(told, cut)
    other = found(fail=1, complete=False, first=9)
    assert compare(told, other) == Change(first=False, new=1, changed=0, resolved=0)
    kept = to_remember(told, other)
    assert len(kept) == 4
    assert compare(kept, found(fail=0)).resolved == 4
    assert to_remember(kept, found(fail=0)) == {}
