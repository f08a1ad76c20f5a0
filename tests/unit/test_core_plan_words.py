"""What plans say, word by word, and changes that contradict themselves."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from amiguard.core.decision import Decision, Verdict
from amiguard.core.edit import CreateVolumePermissionEdit, LaunchPermissionEdit
from amiguard.core.errors import SettingsError
from amiguard.core.evidence import UsageEntry
from amiguard.core.grantee import Account, Everyone, Grantee, Organization, OrganizationalUnit, Unrecognized
from amiguard.core.plan import Addition, ImageChange, InUse, Removal, SnapshotChange
from amiguard.core.plan_words import grants_counted, minute, named, use_in_words
from amiguard.core.planning import PlanWishes
from amiguard.core.result import Target

HERE = Target("111111111111", "eu-central-1", "aws")
A, B, C = (Account(digit * 12) for digit in "234")
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ORGANIZATION = Organization("arn:aws:organizations::555555555555:organization/o-aaaaaaaaaa", "o-aaaaaaaaaa", "5" * 12)
UNIT = OrganizationalUnit(
    "arn:aws:organizations::555555555555:ou/o-aaaaaaaaaa/ou-ab12-11111111", "o-aaaaaaaaaa", "5" * 12, "ou-ab12-11111111"
)


@pytest.mark.parametrize(
    ("grantee", "words"),
    [
        (Everyone(), "everyone"),
        (A, "account 222222222222"),
        (ORGANIZATION, "organization o-aaaaaaaaaa"),
        (UNIT, "unit o-aaaaaaaaaa/ou-ab12-11111111"),
        (Unrecognized("x"), "a grant that this version does not know (x)"),
    ],
)
def test_how_a_grantee_is_called(grantee: Grantee, words: str) -> None:
    assert named(grantee) == words


def test_grants_are_counted_by_kind() -> None:
    units = [Decision(one, Verdict.UNTRUSTED, "r") for one in (UNIT, A, B)]

    assert grants_counted(units, "untrusted") == "3 untrusted grants (organizational unit: 1, account: 2)"
    assert grants_counted(units[:1], "undetermined") == "1 undetermined grant (organizational unit: 1)"


def test_a_minute_is_told_in_utc_wherever_it_was_read() -> None:
    assert minute(NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "2026-11-24 12:00 UTC"


def test_one_is_named_in_the_singular_and_what_is_not_used_is_not_named() -> None:
    entries = (UsageEntry("2" * 12, "ec2:Instance", 1), UsageEntry("2" * 12, "ec2:LaunchTemplate", 0))

    assert use_in_words(InUse(NOON, entries)) == (
        "222222222222 uses it: 1 instance, by EC2's usage report of 2026-11-24 12:00 UTC"
    )


def test_kinds_of_a_later_day_are_passed_on_after_those_that_are_known() -> None:
    entries = (UsageEntry("2" * 12, "new:Thing", 1_234), UsageEntry("2" * 12, "ec2:Instance", 2))

    assert use_in_words(InUse(NOON, entries)).startswith("222222222222 uses it: 2 instances, 1,234 new:Thing, by")


def image_change(before: tuple[Grantee, ...], after: tuple[Grantee, ...], added: Grantee, removed: Grantee) -> None:
    edit = LaunchPermissionEdit(HERE, "ami-1", "n", before, after)
    ImageChange(edit, (Addition(added, "trusted"),), (Removal(removed, "untrusted"),))


def test_what_is_added_and_removed_leads_from_before_to_after() -> None:
    image_change((A,), (B,), B, A)
    for before, after, added, removed in (
        ((A,), (B, C), B, A),  # more than is added
        ((A, C), (B,), B, A),  # less than is there
        ((A,), (B,), B, C),  # what was not there cannot be removed
        ((A, B), (B,), B, A),  # what is there cannot be added
    ):
        with pytest.raises(ValueError, match=r"ami-1: additions and removals do not lead from before to after$"):
            image_change(before, after, added, removed)


def test_what_is_taken_from_a_snapshot_leads_from_before_to_after() -> None:
    def change(after: tuple[Grantee, ...], *removed: Grantee) -> None:
        edit = CreateVolumePermissionEdit(HERE, "snap-1", ("ami-1",), (A, B), after)
        SnapshotChange(edit, tuple(Removal(one, "untrusted") for one in removed))

    change((A,), B)
    for after, removed in (((A, B), ()), ((A,), (A,)), ((A,), (B, C)), ((A, B), (B,))):
        with pytest.raises(ValueError, match=r"snap-1: removals do not lead from before to after$"):
            change(after, *removed)


@pytest.mark.parametrize(("grantee", "written"), [(Everyone(), "all"), (Unrecognized("x"), "x")])
def test_a_plan_shares_with_nobody_that_cannot_be_trusted(grantee: Grantee, written: str) -> None:
    with pytest.raises(SettingsError) as caught:
        PlanWishes(share_with=(A, grantee))

    assert caught.value.message == f"images cannot be shared with {written!r} by a plan"
    assert caught.value.hint == "Name accounts, organizations or organizational units that the trust policy trusts."
