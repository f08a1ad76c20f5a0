"""A service control policy that lets only named principals decide about the sharing of images.

Sources: EC2's chapter of the Service Authorization Reference (condition keys); AWS Organizations User Guide, "Service
control policies" and "Quotas" (whom an SCP does not bind, and how long it may be).
"""

from collections.abc import Sequence

from amiguard.core.iam.policy import Document, document, one_or_list

LONGEST_SCP = 5_120
"""Characters of a service control policy, white space counted, as Organizations counts those that the API is given."""
IMAGES = (
    "ec2:ModifyImageAttribute",
    "ec2:ResetImageAttribute",
    "ec2:RestoreImageFromRecycleBin",
)
SWITCHES = (
    "ec2:DisableImageBlockPublicAccess",
    "ec2:DisableSnapshotBlockPublicAccess",
)
WHY = {
    "ec2:ModifyImageAttribute": "shares an image, with an account, an organization, a unit or everyone",
    "ec2:ResetImageAttribute": "takes back all sharing at once, trusted sharing included",
    "ec2:RestoreImageFromRecycleBin": "brings an image back with all of its earlier sharing",
    "ec2:DisableImageBlockPublicAccess": "lets images be made public",
    "ec2:DisableSnapshotBlockPublicAccess": "lets snapshots be made public",
    "ec2:ModifySnapshotAttribute": "shares a snapshot: denied for everyone and for accounts that are not trusted; "
    "un-sharing stays permitted",
}
"""Why each action is denied to all others."""
LIMITS = (
    "no condition key sees with whom an image is shared: whoever is named may share any image with anyone, and nobody "
    "else may change any attribute of an image that ModifyImageAttribute sets, the description included",
    "a service control policy binds neither the management account nor service-linked roles: Image Builder may go on "
    "to share what it builds, so look after its distribution configurations",
    "it says nothing of what is shared already: `amiguard audit` does, and `amiguard plan` takes it back",
    "it keeps nobody from copying an image, or from launching one whose sharing was taken back after it was copied",
    "AWS documents ec2:Add/userId and ec2:Add/group as single values: whether a call that adds several accounts shows "
    "all of them to IAM is not documented, so try one before you rely on it",
    "EnableSnapshotBlockPublicAccess can weaken block-all-sharing to block-new-sharing, and is not denied: that would "
    "keep accounts from switching it on, too",
    "it permits nothing by itself: the named principals need policies of their own (`amiguard policy remediation`)",
)
"""What it does not do, a sentence each."""


def guardrails(allowed: Sequence[str], trusted_accounts: Sequence[str]) -> Document:
    """The policy.

    Args:
        allowed: ARNs of the principals that may, `*` and `?` as wildcards in them.
        trusted_accounts: with which everybody may share snapshots.
    """
    others = {"ArnNotLike": {"aws:PrincipalArn": one_or_list(allowed)}}
    # ForAnyValue is false where the key is absent: removals are not denied.
    accounts: Document = (
        {"ForAnyValue:StringNotEquals": {"ec2:Add/userId": one_or_list(trusted_accounts)}}
        if trusted_accounts
        else {"Null": {"ec2:Add/userId": "false"}}
    )
    snapshots = "ec2:ModifySnapshotAttribute"
    return document(
        [
            _denying("KeepImageSharing", list(IMAGES), others),
            _denying("KeepBlockPublicAccess", list(SWITCHES), others),
            _denying("KeepSnapshotsFromEveryone", snapshots, {**others, "StringEquals": {"ec2:Add/group": "all"}}),
            _denying("KeepSnapshotsFromStrangers", snapshots, {**others, **accounts}),
        ]
    )


def _denying(sid: str, actions: str | list[str], condition: Document) -> Document:
    return {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*", "Condition": condition}
