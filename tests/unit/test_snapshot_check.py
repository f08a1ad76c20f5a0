"""The check `ami-snapshot-cross-account`: what it says of the snapshots under an image."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.checks import ami_cross_account_access
from amiguard.core.checks.ami_snapshot_cross_account import METADATA, evaluate, target_unreadable
from amiguard.core.decision import Verdict, rules_in_force
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector
from amiguard.core.grantee import Account, Everyone, Grantee, Unrecognized
from amiguard.core.image import Image, LaunchPermission, Unreadable
from amiguard.core.organization import NoOrganization, OrganizationView
from amiguard.core.result import CheckResult, Severity, Status, Target
from amiguard.core.snapshot import SnapshotPermission
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee
from tests.fakes.images import OWNER, image
from tests.unit import strategies

FRIEND, STRANGER, OTHER = Account("444455556666"), Account("999988887777"), Account("999988887776")
STRANGE = Unrecognized("group=some")
DENIED = Unreadable("not permitted: ec2:DescribeSnapshotAttribute", "grant it")
GONE = Unreadable("EC2 does not know it")
TODAY = date(2026, 6, 15)
POLICY = TrustPolicy((TrustEntry(parse_trustee(FRIEND.account_id)),))
Permission = tuple[Grantee, ...] | Unreadable


def accepted(names: str = "golden-*", expires: date | None = None) -> ImageException:
    return ImageException(ImageSelector(names=(names,)), AnyGrantee(), "reason", "owner", expires)


def snapshots(*permissions: Permission) -> tuple[SnapshotPermission, ...]:
    return tuple(SnapshotPermission(f"snap-{number}", one) for number, one in enumerate(permissions))


def judge(*permissions: Permission, exceptions: tuple[ImageException, ...] = (), of: Image = image()) -> CheckResult:
    rules = rules_in_force(POLICY, exceptions, today=TODAY, organization=NoOrganization())
    return evaluate(of, snapshots(*permissions), rules)


@pytest.mark.parametrize(
    ("permissions", "status", "severity", "message"),
    [
        ([], Status.PASS, Severity.INFORMATIONAL, "It has no snapshots."),
        ([()], Status.PASS, Severity.INFORMATIONAL, "Its snapshot is not shared."),
        ([(), ()], Status.PASS, Severity.INFORMATIONAL, "Its 2 snapshots are not shared."),
        (
            [(FRIEND,), (FRIEND, Account(OWNER))],
            Status.PASS,
            Severity.INFORMATIONAL,
            "Its 2 snapshots are shared with trusted grantees only (2).",
        ),
        (
            [(STRANGER,)],
            Status.FAIL,
            Severity.HIGH,
            "Not trusted, and may create volumes from its snapshot: 1 account.",
        ),
        (
            [(STRANGER, FRIEND), (OTHER, STRANGER), (FRIEND,)],
            Status.FAIL,
            Severity.HIGH,
            "Not trusted, and may create volumes from 2 of its 3 snapshots: 2 accounts.",
        ),
        (
            [(Everyone(),), (STRANGER, Everyone())],
            Status.FAIL,
            Severity.CRITICAL,
            "Not trusted, and may create volumes from its 2 snapshots: everyone and 1 account.",
        ),
        (
            [(STRANGER,), DENIED, (STRANGE,)],
            Status.FAIL,
            Severity.HIGH,
            "Not trusted, and may create volumes from 1 of its 3 snapshots: 1 account. "
            "Who may create volumes from 1 of its 3 snapshots could not be read: "
            "not permitted: ec2:DescribeSnapshotAttribute (grant it)",
        ),
        (
            [(STRANGE, FRIEND), ()],
            Status.UNKNOWN,
            Severity.HIGH,
            "Whether 1 unrecognized grantee may be trusted with 1 of its 2 snapshots could not be determined.",
        ),
        (
            [DENIED],
            Status.UNKNOWN,
            Severity.HIGH,
            "Who may create volumes from its snapshot could not be read: not permitted: "
            "ec2:DescribeSnapshotAttribute (grant it)",
        ),
        (
            [DENIED, GONE, DENIED, (FRIEND,)],
            Status.UNKNOWN,
            Severity.HIGH,
            "Who may create volumes from 3 of its 4 snapshots could not be read: not permitted: "
            "ec2:DescribeSnapshotAttribute (grant it); EC2 does not know it",
        ),
    ],
)
def test_what_was_read_is_judged(
    permissions: list[Permission], status: Status, severity: Severity, message: str
) -> None:
    result = judge(*permissions)
    assert (result.status, result.severity, result.message) == (status, severity, message)
    assert result.check_id == "ami-snapshot-cross-account"
    assert result.snapshots == snapshots(*permissions)
    assert result.image == image()


def test_each_grantee_of_all_snapshots_is_decided_once_the_widest_first() -> None:
    result = judge((STRANGER, FRIEND), (FRIEND, Everyone()), (Account(OWNER),))
    assert [(one.grantee, one.verdict, one.reason) for one in result.decisions] == [
        (Everyone(), Verdict.UNTRUSTED, "every AWS account may create volumes from it"),
        (Account(OWNER), Verdict.TRUSTED, "the image's own account"),
        (FRIEND, Verdict.TRUSTED, "trusted: account 444455556666"),
        (STRANGER, Verdict.UNTRUSTED, "not in the trust policy"),
    ]


def test_an_exception_of_the_image_accepts_the_sharing_of_its_snapshots() -> None:
    result = judge((STRANGER, Everyone()), (), exceptions=(accepted(),))
    assert (result.status, result.severity, result.message) == (
        Status.SUPPRESSED,
        Severity.CRITICAL,
        "Accepted by an exception, and may create volumes from 1 of its 2 snapshots: everyone and 1 account.",
    )
    assert judge((STRANGER,), exceptions=(accepted("other-*"),)).status is Status.FAIL
    assert judge((STRANGER,), exceptions=(accepted(expires=TODAY - timedelta(1)),)).status is Status.FAIL


def test_an_exception_does_not_accept_what_was_not_read() -> None:
    result = judge((STRANGER,), DENIED, exceptions=(accepted(),))
    assert result.status is Status.UNKNOWN
    assert result.message.startswith("Who may create volumes from 1 of its 2 snapshots could not be read: ")


def test_an_image_that_is_being_made_may_have_snapshots_that_are_not_listed_yet() -> None:
    pending = judge(of=image(state="pending"))
    assert (pending.status, pending.message) == (
        Status.UNKNOWN,
        "The image is pending: its snapshots are not known yet.",
    )
    assert judge((), of=image(state="pending")).status is Status.PASS
    assert judge(of=image(state="failed")).status is Status.PASS


def test_its_result_is_told_from_that_of_the_launch_permission() -> None:
    rules = rules_in_force(POLICY, (), today=TODAY, organization=NoOrganization())
    launch = ami_cross_account_access.evaluate(image(), LaunchPermission(()), rules)
    assert launch.fingerprint != judge().fingerprint


def test_a_target_that_cannot_be_listed() -> None:
    target = Target(OWNER, "eu-central-1", "aws")
    message = "The snapshots under images are not known, for the images could not be listed: HTTP 500 (try later)"
    assert target_unreadable(target, Unreadable("HTTP 500", "try later")) == CheckResult(
        METADATA.check_id, Status.UNKNOWN, Severity.HIGH, target, None, (), message
    )


def test_what_it_says_of_itself() -> None:
    assert not METADATA.on_by_default
    assert "aws ec2 modify-snapshot-attribute --snapshot-id ID" in METADATA.remediation
    assert all(reference.startswith("https://docs.aws.amazon.com/") for reference in METADATA.references)


permissions_of = st.lists(st.one_of(strategies.grants.map(tuple), st.sampled_from([DENIED, GONE])), max_size=4)
estates = st.tuples(permissions_of, strategies.policies, strategies.exceptions, strategies.organizations)
Estate = tuple[list[Permission], TrustPolicy, tuple[ImageException, ...], OrganizationView]
IMAGE = image(tags=(("k", "v"),))


def judge_estate(estate: Estate) -> CheckResult:
    permissions, policy, exceptions, organization = estate
    rules = rules_in_force(policy, exceptions, today=strategies.TODAY, organization=organization)
    return evaluate(IMAGE, snapshots(*permissions), rules)


@given(estates, st.randoms(use_true_random=False))
def test_the_order_of_snapshots_and_grantees_never_matters(estate: Estate, random: Random) -> None:
    permissions, *rules = estate
    shuffled: list[Permission] = [
        one if isinstance(one, Unreadable) else tuple(random.sample(one, len(one))) for one in permissions
    ]
    readable = [one for one in shuffled if not isinstance(one, Unreadable)]
    random.shuffle(readable)
    unread = [one for one in shuffled if isinstance(one, Unreadable)]
    one, other = judge_estate(estate), judge_estate((readable + unread, *rules))  # type: ignore[arg-type]  # as it came
    assert (one.status, one.severity, one.decisions) == (other.status, other.severity, other.decisions)
    assert one.message == other.message


@given(estates)
def test_it_decides_as_the_launch_permission_would_be_decided(estate: Estate) -> None:
    """All grantees in one launch permission have the same verdicts, and, if all was read, the same status."""
    permissions, policy, exceptions, organization = estate
    rules = rules_in_force(policy, exceptions, today=strategies.TODAY, organization=organization)
    together = [one for some in permissions if not isinstance(some, Unreadable) for one in some]
    result = judge_estate(estate)
    launch = ami_cross_account_access.evaluate(IMAGE, LaunchPermission(tuple(together)), rules)
    assert [(one.grantee, one.verdict) for one in result.decisions] == [
        (one.grantee, one.verdict) for one in launch.decisions
    ]
    if len(permissions) == sum(not isinstance(one, Unreadable) for one in permissions):
        assert (result.status, result.severity) == (launch.status, launch.severity)


@given(estates)
def test_what_was_not_read_is_never_clean(estate: Estate) -> None:
    result = judge_estate(estate)
    if any(isinstance(one, Unreadable) for one in estate[0]):
        assert result.status in (Status.FAIL, Status.UNKNOWN)
        assert "could not be read" in result.message
    if any(one.verdict is Verdict.UNTRUSTED for one in result.decisions):
        assert result.status is Status.FAIL
