"""Every action that this version calls: what it is for, on what, and what is missing without it.

GetCallerIdentity is not among them: it needs no permission (STS API Reference). Resources and conditions are those of
the Service Authorization Reference; actions that know no resources stand with `*`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Feature(StrEnum):
    """Something that amiguard is used for."""

    IMAGES = "images"
    BLOCK_PUBLIC_ACCESS = "check ami-block-public-access"
    SNAPSHOTS = "check ami-snapshot-cross-account"
    USAGE = "evidence usage"
    AUTHOR = "evidence author"
    SNAPSHOT_EVIDENCE = "evidence snapshots"
    KEYS = "evidence keys"
    RECYCLE_BIN = "evidence of any kind"
    SECURITY_HUB = "Security Hub"
    ORGANIZATION = "trust in organizations"
    MEMBERS = "members of the organization"
    ACCOUNT_TAGS = "accounts by their tags"
    REFUSALS = "refusals"
    REGION_NAMES = "names of regions"
    ROLES = "roles"
    SOURCE_IDENTITY = "source identity"
    SESSION_TAGS = "session tags"
    NOTIFY = "SNS"
    CHANGE_IMAGES = "changes of images"
    CHANGE_SNAPSHOTS = "changes of snapshots"
    BLOCK = "image block public access"


class Statement(StrEnum):
    """The statements that actions stand in, by their `Sid`: those of one statement have the same resources."""

    LIST = "ListRegionsAndImages"
    READ_PERMISSIONS = "ReadLaunchPermissions"
    READ_SNAPSHOTS = "ReadSnapshotPermissions"
    READ_SWITCH = "ReadBlockPublicAccess"
    WRITE_USAGE = "CreateUsageReports"
    READ_USAGE = "ReadUsageReports"
    READ_TRAIL = "LookUpEvents"
    READ_ENCRYPTION = "ReadEncryption"
    READ_KEYS = "ReadKeys"
    READ_BIN = "ListRecycleBin"
    SEND_FINDINGS = "ImportFindings"
    READ_FINDINGS = "ReadFindings"
    DECODE = "DecodeRefusals"
    READ_ORGANIZATION = "ReadOrganization"
    READ_TAGS = "ReadAccountTags"
    ENTER = "AssumeRoles"
    IDENTIFY = "SetSourceIdentity"
    TAG = "TagSessions"
    PUBLISH = "Publish"
    CHANGE_IMAGES = "ChangeLaunchPermissions"
    CHANGE_SNAPSHOTS = "ChangeSnapshotPermissions"
    SET_SWITCH = "SetBlockPublicAccess"


RESOURCES: dict[Statement, tuple[str, ...]] = {
    Statement.READ_PERMISSIONS: ("ec2:*::image/*",),
    Statement.READ_SNAPSHOTS: ("ec2:*::snapshot/*",),
    Statement.WRITE_USAGE: ("ec2:*::image/*", "ec2:*:*:image-usage-report/*"),
    Statement.READ_KEYS: ("kms:*:*:key/*",),
    Statement.SEND_FINDINGS: ("securityhub:*:*:product/*/default",),
    Statement.READ_TAGS: ("organizations::*:account/o-*/*",),
    Statement.CHANGE_IMAGES: ("ec2:*::image/*",),
    Statement.CHANGE_SNAPSHOTS: ("ec2:*::snapshot/*",),
}
"""The resources of a statement as an ARN goes on after its partition; `*` where none stand here."""


@dataclass(frozen=True, slots=True)
class Need:
    """One action, for one feature.

    Attributes:
        action: as IAM names it.
        feature: what it is for.
        statement: where it stands.
        why: what it is called for.
        without: what is so if it is not permitted.
        changes: whether it changes anything in AWS.
    """

    action: str
    feature: Feature
    statement: Statement
    why: str
    without: str
    changes: bool = False


_NO_DIRECTORY = (
    "--organization ends with an error unless a saved directory is given, and grants to member accounts are unknown"
)

NEEDS: tuple[Need, ...] = (
    Need(
        "ec2:DescribeRegions",
        Feature.IMAGES,
        Statement.LIST,
        "which regions are enabled in the account",
        "the account is not audited",
    ),
    Need(
        "ec2:DescribeImages",
        Feature.IMAGES,
        Statement.LIST,
        "the account's images",
        "every region fails, and its images are unknown",
    ),
    Need(
        "ec2:DescribeImageAttribute",
        Feature.IMAGES,
        Statement.READ_PERMISSIONS,
        "whom an image is shared with",
        "every image is unknown",
    ),
    Need(
        "ec2:GetImageBlockPublicAccessState",
        Feature.BLOCK_PUBLIC_ACCESS,
        Statement.READ_SWITCH,
        "whether images can be made public",
        "the check ami-block-public-access is unknown",
    ),
    Need(
        "ec2:DescribeSnapshotAttribute",
        Feature.SNAPSHOTS,
        Statement.READ_SNAPSHOTS,
        "who may create volumes from a snapshot",
        "the check ami-snapshot-cross-account is unknown",
    ),
    Need(
        "ec2:DescribeSnapshotAttribute",
        Feature.SNAPSHOT_EVIDENCE,
        Statement.READ_SNAPSHOTS,
        "who may create volumes from the snapshots under a failing image",
        "there is no evidence about snapshots",
    ),
    Need(
        "ec2:CreateImageUsageReport",
        Feature.USAGE,
        Statement.WRITE_USAGE,
        "lets EC2 write down which accounts use an image; the report goes by itself after 30 days",
        "there is no evidence about use, but for reports that others have made",
        changes=True,
    ),
    Need(
        "ec2:DescribeImageUsageReports",
        Feature.USAGE,
        Statement.READ_USAGE,
        "whether there is a report already, and when a new one is done",
        "there is no evidence about use",
    ),
    Need(
        "ec2:DescribeImageUsageReportEntries",
        Feature.USAGE,
        Statement.READ_USAGE,
        "what a report says",
        "there is no evidence about use",
    ),
    Need(
        "cloudtrail:LookupEvents",
        Feature.AUTHOR,
        Statement.READ_TRAIL,
        "who shared an image, and where it comes from",
        "there is no evidence about authors",
    ),
    Need(
        "ec2:DescribeSnapshots",
        Feature.KEYS,
        Statement.READ_ENCRYPTION,
        "which key encrypts a snapshot",
        "there is no evidence about keys",
    ),
    Need(
        "kms:DescribeKey",
        Feature.KEYS,
        Statement.READ_KEYS,
        "whose a key is, and who manages it",
        "whether a key admits a grantee is undetermined",
    ),
    Need(
        "kms:GetKeyPolicy",
        Feature.KEYS,
        Statement.READ_KEYS,
        "whom a key's policy lets in",
        "whether a key admits a grantee is undetermined",
    ),
    Need(
        "kms:ListGrants",
        Feature.KEYS,
        Statement.READ_KEYS,
        "whom a key's grants let in",
        "whether a key admits a grantee is undetermined",
    ),
    Need(
        "ec2:ListImagesInRecycleBin",
        Feature.RECYCLE_BIN,
        Statement.READ_BIN,
        "which deregistered images can come back, shared as they were",
        "the report does not know the Recycle Bin",
    ),
    Need(
        "securityhub:BatchImportFindings",
        Feature.SECURITY_HUB,
        Statement.SEND_FINDINGS,
        "sends what fails, and archives what is over",
        "Security Hub takes no findings, and the audit ends with exit code 4",
        changes=True,
    ),
    Need(
        "securityhub:GetFindings",
        Feature.SECURITY_HUB,
        Statement.READ_FINDINGS,
        "which findings were sent before",
        "no finding is sent, and the audit ends with exit code 4",
    ),
    Need(
        "sts:DecodeAuthorizationMessage",
        Feature.REFUSALS,
        Statement.DECODE,
        "which policy or which missing grant is behind a refusal of EC2",
        "a refusal names the action only",
    ),
    Need(
        "organizations:DescribeOrganization",
        Feature.ORGANIZATION,
        Statement.READ_ORGANIZATION,
        "which organization is the account's own",
        "grants that organizations or units decide are unknown, and --organization ends with an error",
    ),
    Need(
        "organizations:ListAccounts",
        Feature.MEMBERS,
        Statement.READ_ORGANIZATION,
        "which accounts are members",
        _NO_DIRECTORY,
    ),
    Need(
        "organizations:ListRoots",
        Feature.MEMBERS,
        Statement.READ_ORGANIZATION,
        "where the tree of units begins",
        _NO_DIRECTORY,
    ),
    Need(
        "organizations:ListOrganizationalUnitsForParent",
        Feature.MEMBERS,
        Statement.READ_ORGANIZATION,
        "which units there are",
        _NO_DIRECTORY,
    ),
    Need(
        "organizations:ListAccountsForParent",
        Feature.MEMBERS,
        Statement.READ_ORGANIZATION,
        "which unit an account is in, where AWS does not say it in ListAccounts and there are many accounts",
        f"there {_NO_DIRECTORY}",
    ),
    Need(
        "organizations:ListParents",
        Feature.MEMBERS,
        Statement.READ_ORGANIZATION,
        "which unit an account is in, where AWS does not say it in ListAccounts and there are few accounts",
        f"there {_NO_DIRECTORY}",
    ),
    Need(
        "organizations:ListTagsForResource",
        Feature.ACCOUNT_TAGS,
        Statement.READ_TAGS,
        "the tags by which accounts are included or excluded",
        "the audit ends with an error, because nobody knows which accounts are meant",
    ),
    Need(
        "ec2:DescribeRegions",
        Feature.REGION_NAMES,
        Statement.LIST,
        "which regions there are, to find a mistyped one before anything is read",
        "a mistyped region is found only in the accounts",
    ),
    Need(
        "sts:AssumeRole",
        Feature.ROLES,
        Statement.ENTER,
        "the way into the other accounts",
        "no account behind these roles can be entered, and all that it has is unknown",
    ),
    Need(
        "sts:SetSourceIdentity",
        Feature.SOURCE_IDENTITY,
        Statement.IDENTIFY,
        "says who is behind the sessions (targets.roles.source_identity)",
        "AssumeRole is refused",
    ),
    Need(
        "sts:TagSession",
        Feature.SESSION_TAGS,
        Statement.TAG,
        "tags the sessions (targets.roles.tags)",
        "AssumeRole is refused",
    ),
    Need(
        "sns:Publish",
        Feature.NOTIFY,
        Statement.PUBLISH,
        "tells the subscribers of the topics in `notify`",
        "they are not told, and the audit ends with exit code 4",
        changes=True,
    ),
    Need(
        "ec2:DescribeImages",
        Feature.CHANGE_IMAGES,
        Statement.LIST,
        "whether an image is still there, held or protected just before it, or a snapshot under it, is changed",
        "no image and no snapshot is changed",
    ),
    Need(
        "ec2:DescribeImageAttribute",
        Feature.CHANGE_IMAGES,
        Statement.READ_PERMISSIONS,
        "whom an image is shared with just before it is changed, and after",
        "no image is changed or rolled back",
    ),
    Need(
        "ec2:ModifyImageAttribute",
        Feature.CHANGE_IMAGES,
        Statement.CHANGE_IMAGES,
        "removes grantees, and adds those of --share-with and of a rollback; IAM cannot tell these apart",
        "no image is changed or rolled back",
        changes=True,
    ),
    Need(
        "ec2:DescribeSnapshotAttribute",
        Feature.CHANGE_SNAPSHOTS,
        Statement.READ_SNAPSHOTS,
        "who may create volumes from a snapshot just before it is changed, and after",
        "no snapshot is changed or rolled back",
    ),
    Need(
        "ec2:ModifySnapshotAttribute",
        Feature.CHANGE_SNAPSHOTS,
        Statement.CHANGE_SNAPSHOTS,
        "removes grantees from a snapshot, and adds those of a rollback",
        "no snapshot is changed or rolled back",
        changes=True,
    ),
    Need(
        "ec2:GetImageBlockPublicAccessState",
        Feature.BLOCK,
        Statement.READ_SWITCH,
        "how the switch stands before it is changed, and after",
        "image block public access is not switched on or off",
    ),
    Need(
        "ec2:EnableImageBlockPublicAccess",
        Feature.BLOCK,
        Statement.SET_SWITCH,
        "keeps images from being made public",
        "image block public access is not switched on",
        changes=True,
    ),
    Need(
        "ec2:DisableImageBlockPublicAccess",
        Feature.BLOCK,
        Statement.SET_SWITCH,
        "rolls that back",
        "image block public access is not rolled back",
        changes=True,
    ),
)
"""In the order in which policies and explanations have them."""


def needs_of(features: frozenset[Feature]) -> tuple[Need, ...]:
    """What these features need, in order."""
    return tuple(need for need in NEEDS if need.feature in features)
