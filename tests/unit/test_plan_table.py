"""The plan as a table: whole outputs, hostile names, long lists, and what must not depend on colour or width."""

import io
import re
from datetime import UTC, datetime

import pytest

from amiguard.core.evidence import UsageEntry
from amiguard.core.grantee import Account, Everyone
from amiguard.core.plan import (
    Effect,
    InUse,
    LeftOut,
    NotInUse,
    Plan,
    Removal,
    Unplanned,
    UseUnknown,
)
from amiguard.report.plan_table import render_plan
from tests.unit.plan_samples import NOT_TRUSTED, SAMPLE, change, plan_of, snapshot, switch
from tests.unit.report_samples import (
    FRANKFURT,
    IRELAND,
    PARTNER,
    STAGING,
    STRANGER,
    UNIT,
)

ANSI = re.compile(r"\x1b\[[0-9;]*m")

TABLE = r"""111122223333  eu-central-1
  ami-00000000000000005  -3  +1  golden-2026.05
    - everyone: every AWS account may launch it
    - account 999988887777: not in the trust policy
    - account 777788889999: not in the trust policy
      no effect: still covered by unit o-aaaaaaaaaa/ou-root-bbbbbbbb, which stays
    + account 222233334444: trusted: account 222233334444 (Staging)
      stays: ou-root-bbbbbbbb
  ami-00000000000000030  -2  [red]x[/red]\x1b]0;owned\x07\u202egnp.\x9b31m\n  pass  ami-000000000...
    - organization arn:aws:organizations::999988887777:organization/o-foreign1234: not in the trust
      policy
    - account 999988887777: no\nnot in the trust policy
      may have no effect: perhaps still covered by unit o-x/\x1b[31m, which stays
      stays: ou-root-bbbbbbbb, 222233334444
  image block public access: unblocked -> block-new-sharing
      takes up to 10 minutes; undone before images are made public again, at 0.1 calls a second

444455556666  eu-west-1
  ami-00000000000000007  +1  (no name)
    + organizational unit arn:aws:organizations::444455556666:ou/o-aaaaaaaaaa/ou-root-bbbbbbbb:
      trusted: unit bbb
      no grant stays

Left out on purpose (2)
  111122223333  eu-central-1  ami-00000000000000009: it has the tag amiguard:hold  held\none
  444455556666  eu-west-1  the whole target: a declarative policy of the organization holds the
  switch

Not planned: not read, or not decided (2)
  444455556666  all regions  the whole target: the role could not be assumed: \x07 denied
  444455556666  eu-west-1  ami-00000000000000004: Its launch permission could not be read

Summary
3 images would be changed (1 no longer public): 5 grants removed, 2 added. The audit read 12 images
with 1,203 grants.
Losing access: everyone, 1 account (999988887777), 1 organization
(arn:aws:organizations::999988887777:organization/o-foreign1234).
Without effect on 1 image: a grant that stays still covers who is removed.
Perhaps without effect on 1 image: a grant that stays may still cover who is removed.
Use unknown of 4 grants: `amiguard plan --evidence usage` asks EC2 who uses the images.
Image block public access would be switched on in 1 target.
Not in the plan: 2 left out on purpose, 2 not read or not decided.
"""


AS_OF = datetime(2026, 6, 14, 10, tzinfo=UTC)
USED = InUse(AS_OF, (UsageEntry("999988887777", "ec2:Instance", 14), UsageEntry("999988887777", "x\x1b[31m", 1)))


EVIDENCE = plan_of(
    change(
        FRANKFURT,
        5,
        "golden",
        [
            Removal(
                Everyone(),
                "every AWS account may launch it",
                use=NotInUse(AS_OF),
                notes=(
                    "shared by arn:aws:sts::111122223333:assumed-role/ci/\x1b]0;owned\x07 on 2026-06-01 09:00 UTC",
                    "the key\nadmits nobody",
                ),
            ),
            Removal(STRANGER, NOT_TRUSTED, use=USED),
            Removal(PARTNER, NOT_TRUSTED, use=UseUnknown("not permitted:\x1b[31m ec2:CreateImageUsageReport")),
        ],
        [],
    ),
    snapshot(FRANKFURT, 1, 5, [Removal(Everyone(), "every AWS account may create volumes from it")], STAGING),
    snapshot(FRANKFURT, 2, 1, [Removal(STRANGER, NOT_TRUSTED, notes=("decided by the images that were named",))]),
    left_out=(
        LeftOut(FRANKFURT, "ami-00000000000000009", "", "it is used", removal=Removal(STRANGER, "", use=USED)),
        LeftOut(FRANKFURT, "ami-00000000000000009", "golden", "held", "snap-3\x1b[31m"),
    ),
    unplanned=(Unplanned(IRELAND, "ami-00000000000000004", "denied", "snap-4"),),
)
EVIDENCE_TABLE = r"""111122223333  eu-central-1
  ami-00000000000000005  -3  golden
    - everyone: every AWS account may launch it
      not in use, by EC2's usage report of 2026-06-14 10:00 UTC
      shared by arn:aws:sts::111122223333:assumed-role/ci/\x1b]0;owned\x07 on 2026-06-01 09:00 UTC
      the key\nadmits nobody
    - account 999988887777: not in the trust policy
      in use: 999988887777 uses it: 14 instances, 1 x\x1b[31m, by EC2's usage report of 2026-06-14
      10:00 UTC
    - account 777788889999: not in the trust policy
      use unknown: not permitted:\x1b[31m ec2:CreateImageUsageReport
      no grant stays
  snap-00000000000000001  -1
      under ami-00000000000000000, ami-00000000000000001, ami-00000000000000002 and 2 more
    - everyone: every AWS account may create volumes from it
      stays: 222233334444
  snap-00000000000000002  -1
      under ami-00000000000000000
    - account 999988887777: not in the trust policy
      decided by the images that were named
      no grant stays

Left out on purpose (2)
  111122223333  eu-central-1  ami-00000000000000009: it is used
  111122223333  eu-central-1  ami-00000000000000009  snap-3\x1b[31m: held  golden

Not planned: not read, or not decided (1)
  444455556666  eu-west-1  ami-00000000000000004  snap-4: denied

Summary
1 image would be changed (1 made private): 3 grants removed, 0 added. The audit read 12 images with
1,203 grants.
Losing access: everyone, 2 accounts (777788889999, 999988887777).
In use, and left out: 1 grant. --revoke-in-use takes it back all the same.
In use, and removed all the same: 1 grant.
Use unknown of 1 grant: not permitted:\x1b[31m ec2:CreateImageUsageReport.
2 snapshots would be changed: 2 grants removed.
Not in the plan: 2 left out on purpose, 1 not read or not decided.
"""


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def table(plan: Plan) -> str:
    stream = io.StringIO()
    render_plan(plan, stream)
    return stream.getvalue()


def test_the_whole_plan() -> None:
    assert table(SAMPLE) == TABLE


def test_use_notes_and_snapshots() -> None:
    assert table(EVIDENCE) == EVIDENCE_TABLE
    assert table(EVIDENCE).replace("\n", "").isprintable()


def test_use_is_asked_for_only_where_access_is_taken() -> None:
    kept = Removal(STRANGER, NOT_TRUSTED, Effect.KEEPS_ACCESS, "still covered by everyone, which stays")
    snapshots = snapshot(FRANKFURT, 1, 1, [Removal(STRANGER, NOT_TRUSTED)])
    for one in (kept, Removal(STRANGER, NOT_TRUSTED, use=NotInUse(AS_OF))):
        assert "Use unknown" not in table(plan_of(change(FRANKFURT, 5, "golden", [one], []), snapshots))
    assert "No image would be changed. The audit read 12 images" in table(plan_of(snapshots))


def test_many_reasons_of_unknown_use_are_cut() -> None:
    removals = [Removal(Account(f"{n:012d}"), NOT_TRUSTED, use=UseUnknown(f"because {n}")) for n in range(5)]
    text = table(plan_of(change(FRANKFURT, 5, "golden", [*removals, Removal(STRANGER, NOT_TRUSTED)], [])))
    assert "Use unknown of 1 grant: `amiguard plan --evidence usage` asks EC2" in text
    assert "Use unknown of 5 grants: because 0; because 1; because 2; and 2 more reasons.\n" in text


def test_nothing_to_change_is_said() -> None:
    assert table(plan_of()) == "Summary\nNothing to change. The audit read 12 images with 1,203 grants.\n"


def test_nothing_to_change_does_not_hide_what_was_not_planned() -> None:
    text = table(plan_of(left_out=SAMPLE.left_out, unplanned=SAMPLE.unplanned))
    assert "Nothing to change." in text
    assert "amiguard:hold" in text
    assert "could not be read" in text
    assert "Not in the plan: 2 left out on purpose, 2 not read or not decided." in text


def test_only_the_switch() -> None:
    text = table(plan_of(switch(FRANKFURT)))
    assert "Nothing to change" not in text
    assert "No image would be changed. The audit read 12 images" in text
    assert "Image block public access would be switched on in 1 target." in text


def test_colour_changes_nothing_but_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = table(SAMPLE)
    assert "\x1b[31m    - \x1b[0m" in coloured
    assert "\x1b[32m    + \x1b[0m" in coloured
    assert ANSI.sub("", coloured) == TABLE


def test_no_color_means_no_escape_sequence_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert table(SAMPLE) == TABLE


@pytest.mark.parametrize("columns", ["1", "60", "200"])
def test_lines_keep_to_the_width(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert max(map(len, table(SAMPLE).splitlines())) <= max(int(columns), 60)


def test_no_text_of_others_reaches_the_terminal_as_it_is() -> None:
    assert table(SAMPLE).replace("\n", "").isprintable()


def test_changes_are_never_cut_and_each_image_has_one_line_with_its_counts() -> None:
    removals = [Removal(Account(f"{number:012d}"), NOT_TRUSTED) for number in range(30)]
    text = table(plan_of(*(change(FRANKFURT, number, "golden", removals, []) for number in range(200))))
    assert text.count("    - account 0000000000") == 200 * 30
    assert text.count("111122223333  eu-central-1\n") == 1
    for number in range(200):
        (line,) = (one for one in text.splitlines() if f"ami-{number:017x}" in one)
        assert line.endswith("  -30  golden")
    assert "Losing access: 30 accounts.\n" in text


@pytest.mark.parametrize(("count", "shown"), [(50, 50), (51, 51), (52, 50), (300, 50)])
def test_long_lists_of_what_is_not_changed_are_cut_with_a_count(count: int, shown: int) -> None:
    left_out = tuple(LeftOut(FRANKFURT, f"ami-a{number}", "", "held") for number in range(count))
    unplanned = tuple(Unplanned(FRANKFURT, f"ami-b{number}", "denied") for number in range(count))
    text = table(plan_of(left_out=left_out, unplanned=unplanned))
    assert text.count(": held") == text.count(": denied") == shown
    assert text.count(f"  and {count - shown} more\n") == (2 if count > shown else 0)
    assert f"Left out on purpose ({count})" in text


@pytest.mark.parametrize(("count", "named"), [(10, True), (11, False)])
def test_up_to_ten_accounts_that_lose_access_are_named(*, count: int, named: bool) -> None:
    removals = [Removal(Account(f"{number:012d}"), NOT_TRUSTED) for number in range(count)]
    text = table(plan_of(change(FRANKFURT, 1, "golden", removals, []))).replace("\n", " ")
    assert f"Losing access: {count} accounts" in text
    assert ("(000000000000, 000000000001," in text) is named


def test_private_is_what_no_grant_stays_on() -> None:
    public = Removal(Everyone(), "every AWS account may launch it")
    stranger = Removal(STRANGER, NOT_TRUSTED)
    private = change(FRANKFURT, 1, "golden", [public], []), change(FRANKFURT, 2, "golden", [stranger], [])
    others = change(FRANKFURT, 3, "golden", [public], [], UNIT), change(FRANKFURT, 4, "golden", [stranger], [], UNIT)
    text = table(plan_of(*private, *others))
    assert text.count("      no grant stays\n") == 2
    assert "4 images would be changed (2 made private, 1 no longer public): 4 grants removed" in text
    assert "Losing access: everyone, 1 account (999988887777).\n" in text
    text = table(plan_of(others[1]))
    assert "1 image would be changed: 1 grant removed" in text
    assert "everyone" not in text
