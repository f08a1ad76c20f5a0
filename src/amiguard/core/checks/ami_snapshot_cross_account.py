"""The check `ami-snapshot-cross-account`: may accounts that are not trusted use the snapshots under this image?"""

from collections.abc import Collection, Sequence
from typing import assert_never

from amiguard.core.checks.grants import counted, decide_each, severity_of, why, worst_of
from amiguard.core.checks.metadata import CheckMetadata
from amiguard.core.decision import Decision, Rules, Verdict
from amiguard.core.grantee import Grantee
from amiguard.core.image import Image, Unreadable
from amiguard.core.result import CheckResult, Severity, Status, Target
from amiguard.core.snapshot import SnapshotPermission

METADATA = CheckMetadata(
    check_id="ami-snapshot-cross-account",
    title="Snapshots of images can be used by trusted AWS accounts only",
    severity=Severity.HIGH,
    description=(
        "The data of an image lies in EBS snapshots, which are shared by a permission of their own. Whoever that names "
        "can create a volume from the snapshot and read all that is on it, whether or not the image can be launched: "
        "taking back an image's launch permission leaves it as it is. Every grantee of every snapshot under an image "
        "is compared with the trust policy, by the exceptions of the image. A grant to everyone counts while block "
        "public access for snapshots suspends it, too: it comes back with the first change of that setting."
    ),
    remediation=(
        "Make the snapshots private: in the EC2 console under Snapshots, Actions, Modify permissions; or with `aws ec2 "
        "modify-snapshot-attribute --snapshot-id ID --attribute createVolumePermission --operation-type remove "
        "--user-ids ACCOUNT`, or `--group-names all` where everyone may use it. Volumes and copies that were made "
        "before stay. If a grantee is right, add it to the trust policy, or accept it for these images by an exception."
    ),
    references=(
        "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html",
        "https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshotAttribute.html",
    ),
    on_by_default=False,
)
_PENDING = "pending"


def evaluate(image: Image, snapshots: Sequence[SnapshotPermission], rules: Rules) -> CheckResult:
    """Judge the snapshots of one image.

    Args:
        image: as listed; its account and region name the target, and exceptions are about it.
        snapshots: every snapshot under it, each once.
        rules: the policy, exceptions, organization and day that decide.
    """
    grantees = (one for snapshot in snapshots for one in _grantees(snapshot))
    decisions = decide_each(grantees, image, rules, may="create volumes from it")
    status, severity, message = _judge(image, snapshots, decisions)
    target = Target(image.account_id, image.region, image.partition)
    return CheckResult(
        METADATA.check_id, status, severity, target, image, decisions, message, snapshots=tuple(snapshots)
    )


def target_unreadable(target: Target, problem: Unreadable) -> CheckResult:
    """The one result of a target whose images, and so their snapshots, could not be listed, or not to the end."""
    message = f"The snapshots under images are not known, for the images could not be listed: {why(problem)}"
    return CheckResult(METADATA.check_id, Status.UNKNOWN, METADATA.severity, target, None, (), message)


def _grantees(snapshot: SnapshotPermission) -> Collection[Grantee]:
    return () if isinstance(snapshot.permission, Unreadable) else snapshot.permission


def _judge(
    image: Image, snapshots: Sequence[SnapshotPermission], decisions: tuple[Decision, ...]
) -> tuple[Status, Severity, str]:
    verdict, who = worst_of(decisions)
    used = _used_by(who, snapshots)
    unread = _unread(snapshots)
    match verdict:
        case Verdict.UNTRUSTED:
            message = _sentences(f"Not trusted, and may create volumes from {used}: {counted(who)}.", unread)
            return Status.FAIL, severity_of(who, METADATA.severity), message
        case Verdict.UNDETERMINED:
            message = f"Whether {counted(who)} may be trusted with {used} could not be determined."
            return Status.UNKNOWN, METADATA.severity, _sentences(message, unread)
        case _ if unread:
            return Status.UNKNOWN, METADATA.severity, unread
        case Verdict.EXCEPTED:
            message = f"Accepted by an exception, and may create volumes from {used}: {counted(who)}."
            return Status.SUPPRESSED, severity_of(who, METADATA.severity), message
        case Verdict.TRUSTED:
            return _judge_trusted(image, len(snapshots), who)
        case _:
            assert_never(verdict)


def _judge_trusted(image: Image, snapshots: int, trusted: Sequence[Decision]) -> tuple[Status, Severity, str]:
    """All grantees are trusted, of all snapshots that there are."""
    if not snapshots and image.state == _PENDING:
        # While an image is being made, its listing need not name them yet.
        return Status.UNKNOWN, METADATA.severity, "The image is pending: its snapshots are not known yet."
    if not snapshots:
        return Status.PASS, Severity.INFORMATIONAL, "It has no snapshots."
    them = "Its snapshot is" if snapshots == 1 else f"Its {snapshots} snapshots are"
    how = f"shared with trusted grantees only ({len(trusted)})" if trusted else "not shared"
    return Status.PASS, Severity.INFORMATIONAL, f"{them} {how}."


def _used_by(decisions: Sequence[Decision], snapshots: Sequence[SnapshotPermission]) -> str:
    """`1 of its 3 snapshots`: those that name one of these grantees."""
    who = {decision.grantee for decision in decisions}
    return _of_all(sum(1 for snapshot in snapshots if not who.isdisjoint(_grantees(snapshot))), len(snapshots))


def _unread(snapshots: Sequence[SnapshotPermission]) -> str:
    """What could not be read, and each reason once; empty if all could."""
    problems = [snapshot.permission for snapshot in snapshots if isinstance(snapshot.permission, Unreadable)]
    if not problems:
        return ""
    reasons = "; ".join(dict.fromkeys(map(why, problems)))
    return f"Who may create volumes from {_of_all(len(problems), len(snapshots))} could not be read: {reasons}"


def _of_all(some: int, all_of_them: int) -> str:
    if some != all_of_them:
        return f"{some} of its {all_of_them} snapshots"
    return "its snapshot" if some == 1 else f"its {some} snapshots"


def _sentences(first: str, second: str) -> str:
    return f"{first} {second}" if second else first
