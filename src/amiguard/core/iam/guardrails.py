"""A service control policy that lets only named principals decide about the sharing of images, and protects these.

Sources: the chapters of EC2 and IAM in the Service Authorization Reference (condition keys, resources); AWS
Organizations User Guide, "Service control policies" and "Quotas" (whom an SCP does not bind, and how long it may be).
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
ROLES = {
    "iam:CreateRole": "makes a role of a name that may",
    "iam:DeleteRole": "makes room for another role of the name",
    "iam:UpdateRole": "lets the role's sessions last longer",
    "iam:UpdateAssumeRolePolicy": "lets others into the role",
    "iam:AttachRolePolicy": "lets the role do more, or denies it what it is for",
    "iam:DetachRolePolicy": "takes from the role what it needs, or what denies it more",
    "iam:PutRolePolicy": "lets the role do more, or denies it what it is for",
    "iam:DeleteRolePolicy": "takes from the role what it needs, or what denies it more",
    "iam:PutRolePermissionsBoundary": "replaces the bounds of the role",
    "iam:DeleteRolePermissionsBoundary": "takes the bounds off the role",
    "iam:TagRole": "changes what conditions on the role's tags decide",
    "iam:UntagRole": "changes what conditions on the role's tags decide",
}
"""Why each action on the named roles is denied to all but their administrators."""
USERS = {
    "iam:CreateUser": "makes a user of a name that may",
    "iam:DeleteUser": "makes room for another user of the name",
    "iam:UpdateUser": "gives a user a name that may",
    "iam:CreateAccessKey": "gives somebody the user's keys",
    "iam:UpdateAccessKey": "puts keys of the user back into use",
    "iam:CreateLoginProfile": "gives somebody the user's password",
    "iam:UpdateLoginProfile": "gives somebody the user's password",
    "iam:AttachUserPolicy": "lets the user do more, or denies it what it is for",
    "iam:DetachUserPolicy": "takes from the user what it needs, or what denies it more",
    "iam:PutUserPolicy": "lets the user do more, or denies it what it is for",
    "iam:DeleteUserPolicy": "takes from the user what it needs, or what denies it more",
    "iam:PutUserPermissionsBoundary": "replaces the bounds of the user",
    "iam:DeleteUserPermissionsBoundary": "takes the bounds off the user",
    "iam:TagUser": "changes what conditions on the user's tags decide",
    "iam:UntagUser": "changes what conditions on the user's tags decide",
}
"""The same for users that are named."""
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
    "a service control policy binds neither the management account, where roles may be created and changed as before, "
    "nor service-linked roles: Image Builder may go on to share what it builds, so look after its distribution "
    "configurations",
    "whoever the trust policy of a named role lets in may share, and so may whoever may pass the role (iam:PassRole) "
    "to a service that it trusts; roles of these names that are there already stay as they are: read their trust "
    "policies",
    "it says nothing of what is shared already: `amiguard audit` does, and `amiguard plan` takes it back",
    "it keeps nobody from copying an image, or from launching one whose sharing was taken back after it was copied",
    "AWS documents ec2:Add/userId and ec2:Add/group as single values: whether a call that adds several accounts shows "
    "all of them to IAM is not documented, so try one before you rely on it",
    "EnableSnapshotBlockPublicAccess can weaken block-all-sharing to block-new-sharing, and is not denied: that would "
    "keep accounts from switching it on, too",
    "it permits nothing by itself: the named principals need policies of their own (`amiguard policy remediation`)",
)
"""What it does not do, a sentence each."""


def limits(principals: Sequence[str]) -> tuple[str, ...]:
    """`LIMITS`, and those that some kinds of principals have.

    Args:
        principals: ARNs of all that are named.
    """
    found = list(LIMITS)
    if _kind(principals, "user"):
        found.append(
            "the named users are protected, but not from being put into groups, whose policies count for them, and "
            "keys and passwords that somebody has already stay in use: a role has neither"
        )
    if any(arn.endswith(":root") for arn in principals):
        found.append("nothing here protects a root user that is named: its password, keys and second factor decide")
    return tuple(found)


def protections(principals: Sequence[str]) -> dict[str, str]:
    """The actions by which somebody could become one of these principals, and why each is denied.

    Args:
        principals: ARNs of all that are named.
    """
    return {
        **(ROLES if _kind(principals, "role") else {}),
        **(USERS if _kind(principals, "user") else {}),
    }


def guardrails(allowed: Sequence[str], trusted_accounts: Sequence[str], role_admins: Sequence[str] = ()) -> Document:
    """The policy.

    Args:
        allowed: ARNs of the principals that may, `*` and `?` as wildcards in them.
        trusted_accounts: with which everybody may share snapshots.
        role_admins: ARNs of those that may create and change these principals; they are protected, too, because whoever
            makes a role of such a name could make the others. Without any, nobody may.
    """
    others = _all_but(allowed)
    # ForAnyValue is false where the key is absent: removals are not denied.
    accounts: Document = (
        {"ForAnyValue:StringNotEquals": {"ec2:Add/userId": one_or_list(trusted_accounts)}}
        if trusted_accounts
        else {"Null": {"ec2:Add/userId": "false"}}
    )
    snapshots = "ec2:ModifySnapshotAttribute"
    named = tuple(dict.fromkeys((*allowed, *role_admins)))
    admins = _all_but(role_admins) if role_admins else {}
    protected = [("KeepNamedRoles", ROLES, _kind(named, "role")), ("KeepNamedUsers", USERS, _kind(named, "user"))]
    return document(
        [
            _denying("KeepImageSharing", list(IMAGES), others),
            _denying("KeepBlockPublicAccess", list(SWITCHES), others),
            _denying("KeepSnapshotsFromEveryone", snapshots, {**others, "StringEquals": {"ec2:Add/group": "all"}}),
            _denying("KeepSnapshotsFromStrangers", snapshots, {**others, **accounts}),
            *(_denying(sid, list(actions), admins, one_or_list(arns)) for sid, actions, arns in protected if arns),
        ]
    )


def _kind(principals: Sequence[str], kind: str) -> list[str]:
    return [arn for arn in principals if arn.split(":", 5)[-1].startswith(f"{kind}/")]


def _all_but(principals: Sequence[str]) -> Document:
    return {"ArnNotLike": {"aws:PrincipalArn": one_or_list(principals)}}


def _denying(sid: str, actions: str | list[str], condition: Document, resource: str | list[str] = "*") -> Document:
    statement = {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement
