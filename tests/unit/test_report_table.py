"""The table: whole outputs, hostile names, and what must not depend on where it is shown."""
# ruff: noqa: E501 - commands are never wrapped

import errno
import io
import re
from dataclasses import replace

import pytest

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.checks import ami_block_public_access
from amiguard.core.grantee import Account
from amiguard.core.image import Unreadable
from amiguard.core.result import CheckResult, Status, TargetReport, TargetStatus
from amiguard.report.interface import ALL, NEEDS_ATTENTION, Report, StatusFilter
from amiguard.report.spool import Spool
from amiguard.report.table import render_table
from tests.unit.report_samples import (
    CAPE_TOWN,
    FRANKFURT,
    HEADER,
    IRELAND,
    OUTCOME,
    RESULTS,
    STRANGER,
    SWITCHES,
    VIRGINIA,
    image,
    judged,
    sample_report,
    switch,
)

ATTENTION = r"""Public: everyone may launch these images

111122223333  eu-central-1
  fail critical  ami-00000000000000005  2026-05-06  golden-2026.05
      untrusted     everyone: every AWS account may launch it
      untrusted     999988887777: not in the trust policy
      also 1 trusted

Shared with grantees that are not trusted

111122223333  eu-central-1
  fail high      ami-00000000000000010  2026-05-17  crowd
      untrusted     500000000000, 500000000001, 500000000002, 500000000003: not in the trust policy
                    and 996 more untrusted accounts
      undetermined  arn:aws:organizations::444455556666:ou/o-aaaaaaaaaa/ou-root-bbbbbbbb: unit
                    o-aaaaaaaaaa/ou-root-cccccccc is trusted, and the units above this one were not
                    read
  fail high      ami-00000000000000030  2026-05-21  [red]x[/red]\x1b]0;owned\x07\u202egnp.\x9b31m...
      untrusted     arn:aws:organizations::999988887777:organization/o-foreign1234, 999988887777:
                    not in the trust policy

444455556666  eu-west-1
  fail high      ami-00000000000000001  2026-05-02  shared
      untrusted     999988887777: not in the trust policy

Unknown: not read, or not decided

111122223333  eu-central-1
  unknown        ami-00000000000000050  2026-05-25  golden-2026.06 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
      undetermined  arn:aws:organizations::444455556666:ou/o-aaaaaaaaaa/ou-root-bbbbbbbb: unit
                    o-aaaaaaaaaa/ou-root-cccccccc is trusted, and the units above this one were not
                    read
      also 1 trusted

444455556666  eu-west-1
  unknown        ami-00000000000000002  2026-05-03  (no name)
      undetermined  group=everybody: this version does not know this kind of grant
  unknown        ami-00000000000000004  2026-05-05  flaky
      Its launch permission could not be read: EC2 answered HTTP 503, 6 times

Not seen
  failed   111122223333  us-east-1: The images could not be listed: not permitted:
           ec2:DescribeImages (grant ec2:DescribeImages to the caller)
  failed   444455556666  us-east-2: the audit was interrupted
  skipped  111122223333  af-south-1, ap-east-1: the region is not enabled in this account

Verdict
4 of 12 images can be launched by grantees that are not trusted: everyone (1 image), 1,001 accounts,
1 organization.
12 images in 6 targets (2 audited, 2 failed, 2 skipped). Results: 4 pass, 4 fail, 1 suppressed, 4
unknown (1 of them about a whole target). 1 image vanished during the audit. The audit is
incomplete: 2 targets failed, 4 results are unknown.

Next steps
  - Plan to take the access back, with this audit's options (--organization, --account, --trust
    ...); `amiguard apply` then makes what the plan shows:
      amiguard plan
  - Or by hand, make a public image private, in account 111122223333:
      aws ec2 modify-image-attribute --region eu-central-1 --image-id ami-00000000000000005 --launch-permission 'Remove=[{Group=all}]'
  - Or by hand, stop sharing an image with such a grantee, in account 111122223333:
      aws ec2 modify-image-attribute --region eu-central-1 --image-id ami-00000000000000005 --launch-permission 'Remove=[{UserId=999988887777}]'
  - Or in the console: EC2, AMIs, the image, Permissions, Edit AMI permissions.
  - If a grantee may launch every image, add it to the trust policy (begun by `amiguard trust
    init`):
      amiguard trust add 999988887777
  - If it may launch certain images only, write an exception in amiguard.yaml: reason and owner.
  - What is unknown is not clean: see its reason, and audit again. Where access was denied, allow
    the audit ec2:DescribeRegions, ec2:DescribeImages and ec2:DescribeImageAttribute, or mend the
    role that could not be assumed.
  - To decide the undetermined grantees, audit where the organization can be read
    (organizations:DescribeOrganization, ListAccounts, ListRoots, ListParents, ListAccountsForParent
    and ListOrganizationalUnitsForParent), or with a directory that was saved there: `amiguard trust
    snapshot`, then --directory.
  - This version does not know a kind of grant that EC2 returned: see the console, and update
    amiguard.
"""

SUPPRESSED_AND_PASS = r"""Suppressed: accepted by an exception

111122223333  eu-central-1
  suppressed     ami-00000000000000040  2026-05-09  market-one
      excepted      everyone, 777788889999: accepted by platform@example.com, until 2027-06-30:
                    marketplace image
      also 1 trusted

Pass

111122223333  eu-central-1
  pass           ami-000000000000000a0  2026-05-21  base-private
      It is not shared.

444455556666  eu-west-1
  pass           ami-00000000000000003  2026-05-04  retired
      The image is disabled: AWS has removed its launch permission.
  pass           ami-00000000000000006  2026-05-07  to staging
      trusted       222233334444: account 222233334444 (Staging)

444455556666  us-east-2
  pass           ami-00000000000000007  2026-05-08  cut short
      It is not shared.
"""

CLEAN = """Not seen
  skipped  111122223333  af-south-1: the region is not enabled in this account

Verdict
No image can be launched by a grantee that is not trusted.
1 image in 2 targets (1 audited, 0 failed, 1 skipped). Results: 1 pass, 0 fail, 0 suppressed, 0
unknown. The audit is complete.
"""

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def table(report: Report, shown: StatusFilter = NEEDS_ATTENTION) -> str:
    stream = io.StringIO()
    render_table(report, shown, stream)
    return stream.getvalue()


def sample_table(shown: StatusFilter = NEEDS_ATTENTION) -> str:
    with sample_report() as report:
        return table(report, shown)


def ending(text: str) -> str:
    """What stands after the images."""
    return text[text.index("Not seen") :]


def test_what_needs_attention() -> None:
    assert sample_table() == ATTENTION


def test_what_else_there_is_when_asked_for() -> None:
    text = sample_table(StatusFilter.of([Status.SUPPRESSED, Status.PASS]))
    assert text[: text.index("\nNot seen")] == SUPPRESSED_AND_PASS


@pytest.mark.parametrize("shown", [ALL, StatusFilter.of([]), StatusFilter.of([Status.PASS])])
def test_filters_change_neither_counts_nor_the_verdict(shown: StatusFilter) -> None:
    # What a failed target says is itself an unknown result; everything after it is the same.
    assert ending(sample_table(shown)) == ending(ATTENTION)


def test_a_clean_audit_says_so() -> None:
    with Spool() as spool:
        spool.add(judged(image(FRANKFURT, 1, "base")))
        spool.finish(TargetReport(FRANKFURT, TargetStatus.AUDITED, images=1))
        spool.finish(TargetReport(CAPE_TOWN, TargetStatus.SKIPPED, "the region is not enabled in this account"))
        assert table(spool.report(HEADER, replace(OUTCOME, complete=spool.complete))) == CLEAN


def test_an_audit_that_was_cut_is_not_clean() -> None:
    with Spool() as spool:
        text = table(spool.report(HEADER, replace(OUTCOME, complete=False)))
    assert "No untrusted sharing was found, but not everything could be read or decided." in text
    assert "The audit is incomplete: it was ended early." in text


def test_exceptions_are_named_when_nothing_fails() -> None:
    market = next(one for one in RESULTS if one.status is Status.SUPPRESSED)
    with Spool() as spool:
        spool.add(market)
        spool.finish(TargetReport(market.target, TargetStatus.AUDITED, images=1))
        text = table(spool.report(HEADER, replace(OUTCOME, complete=True)))
    assert "Exceptions aside, no image can be launched by a grantee that is not trusted." in text


def test_colour_changes_nothing_but_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = sample_table()
    assert "\x1b[" in coloured
    assert ANSI.sub("", coloured) == ATTENTION


def test_no_color_means_no_escape_sequence_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert sample_table() == ATTENTION


@pytest.mark.parametrize("columns", ["1", "60", "80", "200"])
def test_lines_keep_to_the_width_but_for_commands(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = [line for line in sample_table(ALL).splitlines() if not line.startswith("      a")]
    assert max(map(len, lines)) <= max(int(columns), 60)


def test_wide_characters_are_measured_by_what_they_take() -> None:
    with Spool() as spool:
        spool.add(judged(image(FRANKFURT, 1, "日本" * 40), STRANGER))
        spool.finish(TargetReport(FRANKFURT, TargetStatus.AUDITED, images=1))
        line = next(one for one in table(spool.report(HEADER, OUTCOME)).splitlines() if "日本" in one)
    assert line.endswith("...")
    assert 97 <= sum(2 if ord(char) > 0x2E80 else 1 for char in line) <= 100


def test_no_text_of_others_reaches_the_terminal_as_it_is() -> None:
    text = sample_table(ALL)
    assert text.replace("\n", "").isprintable()
    assert "[red]x[/red]\\x1b]0;owned" in text
    assert "\n  pass  ami-00000000000000000" not in text


def test_accounts_with_the_same_unseen_regions_share_a_line() -> None:
    with Spool() as spool:
        for number in range(1000):
            for target in (CAPE_TOWN, VIRGINIA):
                one = replace(target, account_id=f"{number:012d}")
                spool.finish(TargetReport(one, TargetStatus.SKIPPED, "not enabled"))
        text = table(spool.report(HEADER, OUTCOME))
    assert text.count("not enabled") == 1
    assert "000000000007 and 992 more" in text
    assert "af-south-1, us-east-1: not enabled" in text.replace("\n           ", " ")


def test_five_hundred_failing_images_stay_readable() -> None:
    with Spool() as spool:
        for number in range(500):
            target = (FRANKFURT, IRELAND)[number % 2]
            spool.add(judged(image(target, number, f"golden-{number}"), *(Account(f"{one:012d}") for one in range(40))))
        for target in (FRANKFURT, IRELAND):
            spool.finish(TargetReport(target, TargetStatus.AUDITED, images=250))
        text = table(spool.report(HEADER, OUTCOME))
    assert text.count("and 36 more untrusted accounts") == 500
    assert text.count(f"{FRANKFURT.account_id}  {FRANKFURT.region}\n") == 1
    assert "500 of 500 images can be launched by grantees that are not trusted: 40 accounts." in text
    assert len(text.splitlines()) < 3 * 500 + 30


SWITCHED = r"""Image block public access
  fail medium    111122223333  eu-central-1: Images can be made public: image block public access is
                 off, managed by the account.
  fail medium    444455556666  eu-west-1: Images can be made public: image block public access is
                 off, managed by a declarative policy of the organization; enable it in that policy.

Not seen
  failed   111122223333  us-east-1: The images could not be listed: not permitted:
           ec2:DescribeImages (grant ec2:DescribeImages to the caller)
  failed   444455556666  us-east-2: the audit was interrupted
  skipped  111122223333  af-south-1, ap-east-1: the region is not enabled in this account

Verdict
4 of 12 images can be launched by grantees that are not trusted: everyone (1 image), 1,001 accounts,
1 organization. Images can be made public in 2 targets: block public access is off.
12 images in 6 targets (2 audited, 2 failed, 2 skipped). Results: 5 pass, 6 fail (2 of them about a
whole target), 1 suppressed, 5 unknown (2 of them about a whole target). 1 image vanished during the
audit. The audit is incomplete: 2 targets failed, 5 results are unknown.
"""
SWITCH_STEPS = """  - Keep images from being made public, in account 111122223333 (public ones stay so):
      aws ec2 enable-image-block-public-access --image-block-public-access-state block-new-sharing --region eu-central-1
  - Where a declarative policy of the organization manages block public access, enable it in that
    policy.
"""
# The audit of the switch asks for one action more.
ONE_MORE_ACTION = (
    """ec2:DescribeImages and ec2:DescribeImageAttribute, or mend the
    role that could not be assumed.
""",
    """ec2:DescribeImages, ec2:DescribeImageAttribute and
    ec2:GetImageBlockPublicAccessState, or mend the role that could not be assumed.
""",
)


def switched_table(shown: StatusFilter = NEEDS_ATTENTION) -> str:
    with sample_report(SWITCHES) as report:
        return table(report, shown)


def test_switches_stand_apart_from_images_and_are_not_counted_as_such() -> None:
    text = switched_table()
    before, after = text.split("Image block public access\n")
    assert before == ATTENTION[: ATTENTION.index("Not seen")]
    verdict, steps = after.split("\nNext steps\n")
    assert "Image block public access\n" + verdict == SWITCHED
    assert SWITCH_STEPS in steps
    assert steps.replace(SWITCH_STEPS, "") == ATTENTION.split("Next steps\n")[1].replace(*ONE_MORE_ACTION)


def test_switches_that_are_on_are_shown_with_what_passes() -> None:
    text = switched_table(StatusFilter.of([Status.PASS]))
    line = "  pass           444455556666  us-east-2: No more images can be made public: image block public\n"
    assert f"\nImage block public access\n{line}" in text
    assert "fail medium" not in text
    assert "Image block public access\n" not in switched_table(StatusFilter.of([Status.SUPPRESSED]))


def switches_only(*results: CheckResult, failed: bool = False) -> str:
    with Spool() as spool:
        for result in results:
            spool.add(result)
        for target in {one.target: None for one in results}:
            status = TargetStatus.FAILED if failed else TargetStatus.AUDITED
            spool.finish(TargetReport(target, status, "it broke" if failed else ""))
        return table(spool.report(HEADER, replace(OUTCOME, complete=spool.complete)))


def test_where_only_the_switch_fails_no_image_does() -> None:
    text = switches_only(switch(FRANKFURT, BlockPublicAccess.UNBLOCKED))
    assert (
        "No image can be launched by a grantee that is not trusted. Images can be made public in 1 target: block "
        "public access is off. 0 images in 1 target (1 audited, 0 failed, 0 skipped). Results: 0 pass, 1 fail (1 of "
        "them about a whole target), 0 suppressed, 0 unknown. The audit is complete."
    ) in " ".join(text.split())


def test_a_switch_that_was_not_read_is_told_once() -> None:
    unread = ami_block_public_access.evaluate(FRANKFURT, Unreadable("not permitted to audit"))
    text = switches_only(unread)
    line = "  unknown        111122223333  eu-central-1: Image block public access could not be read: not"
    assert f"Image block public access\n{line}" in text
    assert "Not seen" not in text
    assert "No untrusted sharing was found, but not everything could be read or decided." in text
    assert "1 unknown (1 of them about a whole target)" in text.replace("\n", " ")
    assert "allow the audit ec2:GetImageBlockPublicAccessState, or mend" in text.replace("\n    ", " ")
    failed = switches_only(unread, failed=True)
    assert "Image block public access\n" not in failed
    assert "  failed   111122223333  eu-central-1: it broke\n" in failed


def test_switches_of_many_targets_share_lines() -> None:
    targets = [replace(one, account_id=f"{number:012d}") for number in range(1000) for one in (CAPE_TOWN, VIRGINIA)]
    text = switches_only(*(switch(target, BlockPublicAccess.UNBLOCKED) for target in targets))
    assert len(text.splitlines()) < 20
    whole = " ".join(text.split())
    assert "000000000007 and 992 more accounts af-south-1, us-east-1: Images can be made public: " in whole
    assert "Images can be made public in 2,000 targets" in whole


def test_who_manages_a_switch_is_neutralised() -> None:
    text = switches_only(switch(FRANKFURT, BlockPublicAccess.UNBLOCKED, "\x1b]0;owned\x07"))
    assert "managed by \\x1b]0;owned" in text.replace("\n" + " " * 17, " ")
    assert "\x1b" not in text


def test_a_reader_that_goes_away_is_the_callers_matter() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(errno.EPIPE, "gone")

    with sample_report() as report, pytest.raises(BrokenPipeError):
        render_table(report, NEEDS_ATTENTION, Gone())
