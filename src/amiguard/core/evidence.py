"""Evidence: what is known, beside its launch permission, of an image that fails. It never changes a verdict.

Whatever could not be had is an `Unreadable` with its reason; what was not asked for is None.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from amiguard.core.decision import Decision
from amiguard.core.grantee import Grantee
from amiguard.core.image import Unreadable
from amiguard.core.result import Target


class EvidenceKind(StrEnum):
    """What can be asked for, in the order in which reports show it."""

    USAGE = "usage"
    AUTHOR = "author"
    SNAPSHOTS = "snapshots"
    KEYS = "keys"


DEFAULT_USAGE_MAX_AGE = timedelta(hours=24)
DEFAULT_DEADLINE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """The section `evidence` of the settings, overlaid by the command line.

    Attributes:
        kinds: what is collected; empty for nothing.
        usage_max_age: a usage report that is younger is used again.
        deadline: how long a report waits for evidence after all else is known.
    """

    kinds: frozenset[EvidenceKind] = frozenset()
    usage_max_age: timedelta = DEFAULT_USAGE_MAX_AGE
    deadline: timedelta = DEFAULT_DEADLINE


@dataclass(frozen=True, slots=True)
class UsageEntry:
    """How many resources of one kind an account has that name the image (DescribeImageUsageReportEntries).

    Attributes:
        resource_type: EC2's word: `ec2:Instance`, `ec2:LaunchTemplate`, `imagebuilder:ImageRecipe`,
            `imagebuilder:ContainerRecipe`; another word of a later day is passed on.
    """

    account_id: str
    resource_type: str
    count: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Which accounts use an image, however it is shared with them. The owner's own use is in it, too.

    Source: EC2 User Guide, "View your AMI usage": instances are reported up to 24 hours late, launch templates and
    recipes some days.

    Attributes:
        created_at: when EC2 made the report: how old the entries are.
        reused: the report had been made before.
        entries: by account and resource type.
    """

    report_id: str
    created_at: datetime
    reused: bool
    entries: tuple[UsageEntry, ...]


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """One event of CloudTrail about an image; its texts are written by someone else: neutralise them.

    Attributes:
        name: of the API call (`ModifyImageAttribute`).
        principal: the ARN of who called, or what CloudTrail gives in its stead.
        session: the role session's name; empty where there is none.
        source: CloudTrail's `sourceIPAddress`: an address, or the name of an AWS service.
        added: the grantees that the call added.
        removed: the grantees that the call removed.
    """

    event_id: str
    name: str
    at: datetime
    principal: str
    session: str
    source: str
    added: tuple[Grantee, ...] = ()
    removed: tuple[Grantee, ...] = ()


@dataclass(frozen=True, slots=True)
class Author:
    """Who shared an image, and where it comes from, as far as CloudTrail's 90 days reach.

    Attributes:
        shares: calls that changed the launch permission and succeeded, newest first.
        origin: the call that made the image, or brought it back from the Recycle Bin; None if there is none in them.
        truncated: CloudTrail has more events about the image than were looked at.
    """

    shares: tuple[TrailEvent, ...]
    origin: TrailEvent | None
    truncated: bool = False

    def shared(self, grantee: Grantee) -> TrailEvent | None:
        """The newest call that added this grantee; None if no event names it."""
        return next((event for event in self.shares if grantee in event.added), None)


@dataclass(frozen=True, slots=True)
class SnapshotSharing:
    """A snapshot under an image, and what the trust policy says of each of its grantees.

    Attributes:
        decisions: none if nobody but the owner may use it; or why they could not be read.
    """

    snapshot_id: str
    decisions: tuple[Decision, ...] | Unreadable


class Admission(StrEnum):
    """Whether a KMS key lets a grantee use what it encrypts."""

    ADMITS = "admits"
    DOES_NOT_ADMIT = "does_not_admit"
    UNDETERMINED = "undetermined"
    """Not fully understood, or not fully read: never taken for a no."""


@dataclass(frozen=True, slots=True)
class KeyAdmission:
    """What a key says to one grantee, and the statement or grant that decides."""

    grantee: Grantee
    admission: Admission
    reason: str


@dataclass(frozen=True, slots=True)
class ImageKey:
    """A KMS key that encrypts snapshots of an image.

    Attributes:
        key_arn: as DescribeSnapshots names it.
        snapshot_ids: the snapshots that it encrypts.
        manager: KMS's word: `CUSTOMER` or `AWS` (the key of AWS for EBS, which cannot be shared); empty if unread.
        state: KMS's word (`Enabled`, `PendingDeletion`, ...); empty if unread.
        admissions: one for each untrusted grantee of the image, in report order.
    """

    key_arn: str
    snapshot_ids: tuple[str, ...]
    manager: str
    state: str
    admissions: tuple[KeyAdmission, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """How the snapshots of an image are encrypted.

    Attributes:
        unencrypted: ids of snapshots that no key protects.
        unread: ids of snapshots of which it could not be read how they are encrypted, each with the reason.
        keys: those that encrypt the others, by ARN.
    """

    unencrypted: tuple[str, ...]
    unread: tuple[tuple[str, Unreadable], ...]
    keys: tuple[ImageKey, ...]

    def mitigates(self, grantee: Grantee) -> KeyAdmission | None:
        """The key that keeps this grantee from launching the image, for EC2 must read every snapshot; None if none."""
        for key in self.keys:
            for one in key.admissions:
                if one.grantee == grantee and one.admission is Admission.DOES_NOT_ADMIT:
                    return one
        return None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was learned about one failing image; None for a kind that was not asked for.

    Attributes:
        last_launched: EC2's `LastLaunchedTime` of the image, its own text; empty if EC2 gave none. It comes with the
            listing, lags by a day, and says nothing about who.
    """

    usage: Usage | Unreadable | None = None
    author: Author | Unreadable | None = None
    snapshots: tuple[SnapshotSharing, ...] | None = None
    keys: Keys | Unreadable | None = None
    last_launched: str = ""


@dataclass(frozen=True, slots=True)
class BinnedImage:
    """An image in the Recycle Bin (ListImagesInRecycleBin); times are EC2's own, as RFC 3339, empty if it gave none."""

    image_id: str
    name: str
    entered_at: str
    leaves_at: str


@dataclass(frozen=True, slots=True)
class RecycleBin:
    """The images of one target that can be restored, with the grants that they had.

    Source: Recycle Bin User Guide, "Considerations": a restored AMI is shared again as it was.
    """

    target: Target
    images: tuple[BinnedImage, ...] | Unreadable


def evidence_kinds(names: Collection[str]) -> frozenset[EvidenceKind]:
    """Read kinds as they are written in settings and options; `all` is each of them.

    Raises:
        ValueError: there is no such kind; the text says which there are.
    """
    known = {kind.value for kind in EvidenceKind}
    if unknown := sorted(set(names) - known - {"all"}):
        raise ValueError(f"there is no evidence {unknown[0]!r}: there are {', '.join(EvidenceKind)}, and `all`")
    return frozenset(EvidenceKind) if "all" in names else frozenset(map(EvidenceKind, names))
