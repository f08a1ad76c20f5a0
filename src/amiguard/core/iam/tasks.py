"""What amiguard is to do, and the policies that permit exactly that: in an account, and on the way into others."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from amiguard.core.checks import ami_block_public_access, ami_snapshot_cross_account
from amiguard.core.errors import SettingsError
from amiguard.core.evidence import EvidenceKind
from amiguard.core.iam.held_images import held_images
from amiguard.core.iam.needs import Feature, Statement, needs_of
from amiguard.core.iam.policy import IamPolicy, Special, allow
from amiguard.core.iam.role_entry import (
    EnteredRole,
    entered_roles,
    entry_statements,
    next_roles,
    own_organization_id,
    role_arn,
    without_a_way,
)
from amiguard.core.remediation import RemediationSettings
from amiguard.core.scope import Scope
from amiguard.core.trust import TrustPolicy

PARTITION = "aws"
_CHECKS = {
    ami_block_public_access.METADATA.check_id: Feature.BLOCK_PUBLIC_ACCESS,
    ami_snapshot_cross_account.METADATA.check_id: Feature.SNAPSHOTS,
}
_EVIDENCE = {
    EvidenceKind.USAGE: Feature.USAGE,
    EvidenceKind.AUTHOR: Feature.AUTHOR,
    EvidenceKind.SNAPSHOTS: Feature.SNAPSHOT_EVIDENCE,
    EvidenceKind.KEYS: Feature.KEYS,
}
_FOREIGN_KEYS = (
    "a key's own policy decides too: a key that does not leave permissions to IAM, or belongs to another account, has "
    "to name the role itself"
)
_TOPIC_KEYS = (
    "a topic that is encrypted with a customer managed key needs kms:GenerateDataKey* and kms:Decrypt on that key "
    "beside sns:Publish, and in the key's own policy if the key is another account's; which key it is, only SNS knows"
)
_EVERY_ACCOUNT = (
    "* in the ARN of a role stands for the accounts of other organizations, too: to leave these out, add "
    '"aws:ResourceOrgID": "<the id of your organization>" to StringEquals in the condition of AssumeRoles; where '
    "targets.organization names a unit as o-.../ou-..., it is there already"
)


@dataclass(frozen=True, slots=True)
class Work:
    """What amiguard is to do.

    Attributes:
        trust: whom the policy trusts: if it names organizations, they are asked for.
        scope: which accounts, by which roles.
        checks: those besides that of images, which is always made.
        evidence: the kinds that are collected.
        topics: ARNs of the SNS topics of `notify`.
        change_snapshots: whether snapshots are planned for and changed.
        change_block_public_access: the same of image block public access.
        partition: the part of AWS that all of it is in.
    """

    trust: TrustPolicy = field(default_factory=TrustPolicy)
    scope: Scope = field(default_factory=Scope)
    checks: frozenset[str] = frozenset()
    evidence: frozenset[EvidenceKind] = frozenset()
    security_hub: bool = False
    topics: tuple[str, ...] = ()
    remediation: RemediationSettings = field(default_factory=RemediationSettings)
    change_snapshots: bool = False
    change_block_public_access: bool = False
    partition: str = PARTITION

    @property
    def other_accounts(self) -> bool:
        """Whether accounts are entered by roles: then the run's own credentials and those roles need policies each."""
        return self.scope.organization is not None or bool(self.scope.accounts)

    def refuse_other_partitions(self) -> None:
        """No role or topic can be in another partition than the credentials.

        Raises:
            SettingsError: one is.
        """
        arns = [*self.topics, *self.scope.roles.chain, *(one.role_arn for one in self.scope.accounts if one.role_arn)]
        for arn in arns:
            if (found := arn.split(":")[1]) != self.partition:
                raise SettingsError(
                    f"{arn} is in the partition {found}, and the policy is for {self.partition}",
                    hint=f"say --partition {found}",
                )


def audit_policy(work: Work, *, as_role: bool = False) -> IamPolicy:
    """What an audit needs in an account.

    Args:
        work: what it does.
        as_role: for a role that is assumed, and not for credentials that audit their own account; so it is, too, if
            accounts are entered by roles.
    """
    features = _audit_features(work)
    features |= _asked_as_role(work) if as_role or work.other_accounts else _run_features(work)
    return _policy(work, frozenset(features))


def change_policy(work: Work, *, as_role: bool = False) -> IamPolicy:
    """What `apply` and `rollback` need in an account; the arguments are those of `audit_policy`."""
    features = _change_features(work)
    features |= _asked_as_role(work) if as_role or work.other_accounts else _trust_features(work)
    policy = _policy(work, features)
    denied, notes = held_images(work.remediation.protected, work.partition)
    return replace(policy, statements=(*policy.statements, *denied), notes=(*policy.notes, *notes))


def organization_policy(work: Work, *, changing: bool = False, after: str | None = None) -> IamPolicy:
    """What the credentials need that amiguard is started with, to work in other accounts.

    Args:
        work: what it does.
        changing: for `apply` and `rollback` in place of `audit` and `plan`.
        after: a role of the chain, to get what this role needs in place of the run's own credentials.

    Raises:
        SettingsError: nothing says which roles are assumed, or the chain has no such role.
    """
    role = work.remediation.role if changing else None
    of_accounts = entered_roles(work.scope, work.partition, changing=role)
    audits_itself = not changing and after is None and bool(without_a_way(work.scope))
    if not of_accounts and not audits_itself:
        raise _nothing_to_assume(work, changing=changing)
    features: set[Feature] = set()
    if of_accounts:
        features |= _way_features(work)
    if after is None:
        features |= _trust_features(work) if changing else _own_features(work)
    entered = next_roles(work.scope.roles, of_accounts, after) if of_accounts else ()
    statements = entry_statements(entered, work.scope.roles, own_organization_id(work.scope))
    policy = _policy(work, frozenset(features), statements)
    notes = (*_entry_notes(work, entered, after=after), *_profile_notes(work, changing=changing))
    own = _own_account_notes(work, changing=changing) if after is None else ()
    return replace(policy, notes=(*policy.notes, *notes, *own))


def _nothing_to_assume(work: Work, *, changing: bool) -> SettingsError:
    if any(one.profile for one in work.scope.accounts) and not without_a_way(work.scope):
        return SettingsError(
            "all accounts are entered by profiles: the run's own credentials assume no role",
            hint="; ".join(_profile_notes(work, changing=changing)) or None,
        )
    return SettingsError(
        "nothing says which role is assumed in the accounts",
        hint="name it with --role-name, or in targets of the settings",
    )


def _entry_notes(work: Work, entered: tuple[EnteredRole, ...], *, after: str | None) -> Iterator[str]:
    if after is None and entered:
        for hub in work.scope.roles.chain:
            yield f"the role {hub} of the chain needs a policy of its own: --chain-role {hub}"
    if any(one.in_every_account for one in entered) and own_organization_id(work.scope) is None:
        yield _EVERY_ACCOUNT


def _profile_notes(work: Work, *, changing: bool) -> Iterator[str]:
    """What the credentials of profiles need on their way into accounts."""
    role = work.remediation.role if changing else None
    actions = " and ".join(sorted(need.action for need in needs_of(frozenset(_way_features(work)))))
    for one in work.scope.accounts:
        if one.profile is None:
            continue
        if role is not None:
            arn = role_arn(work.partition, one.account_id, role.role_name)
            yield (
                f"the credentials of the profile {one.profile} need {actions} on {arn}, unless {one.account_id} is the "
                "account of the run's own credentials"
            )
        elif one.role_arn is not None:
            yield f"the credentials of the profile {one.profile} need {actions} on {one.role_arn}"


def _own_account_notes(work: Work, *, changing: bool) -> Iterator[str]:
    if changing:
        yield (
            "the account of these credentials is changed directly: if it has images of its own, these credentials need "
            "what `amiguard policy remediation` prints too"
        )
    elif work.scope.organization is None and work.scope.role is not None and without_a_way(work.scope):
        yield (
            "if one of the accounts without role_arn or profile is that of these credentials, it is audited directly: "
            "then they need what `amiguard policy audit` prints too"
        )


def _way_features(work: Work) -> set[Feature]:
    """What it takes to assume the next role."""
    features = {Feature.ROLES}
    if work.scope.roles.source_identity is not None:
        features.add(Feature.SOURCE_IDENTITY)
    if work.scope.roles.tags:
        features.add(Feature.SESSION_TAGS)
    return features


def _audit_features(work: Work) -> set[Feature]:
    """What is asked of an account with its own credentials."""
    found = {Feature.IMAGES, Feature.REFUSALS}
    found |= {_CHECKS[check_id] for check_id in work.checks}
    found |= {_EVIDENCE[kind] for kind in work.evidence}
    # What is to be taken back is found by these checks first.
    if work.change_snapshots:
        found.add(Feature.SNAPSHOTS)
    if work.change_block_public_access:
        found.add(Feature.BLOCK_PUBLIC_ACCESS)
    if work.evidence:
        found.add(Feature.RECYCLE_BIN)
    if work.security_hub:
        found.add(Feature.SECURITY_HUB)
    return found


def _change_features(work: Work) -> frozenset[Feature]:
    found = {Feature.CHANGE_IMAGES, Feature.REFUSALS}
    if work.change_snapshots:
        found.add(Feature.CHANGE_SNAPSHOTS)
    if work.change_block_public_access:
        found.add(Feature.BLOCK)
    return frozenset(found)


def _trust_features(work: Work) -> set[Feature]:
    """What is asked with the run's own credentials before anything is decided."""
    return {Feature.ORGANIZATION, Feature.MEMBERS} if work.trust.names_organizations else set()


def _asked_as_role(work: Work) -> set[Feature]:
    """Members of the organization that is audited are known from its directory; other accounts are asked for theirs."""
    outsiders = work.scope.organization is None or bool(work.scope.accounts)
    return {Feature.ORGANIZATION} if work.trust.names_organizations and outsiders else set()


def _run_features(work: Work) -> set[Feature]:
    return _trust_features(work) | ({Feature.NOTIFY} if work.topics else set())


def _own_features(work: Work) -> set[Feature]:
    """What an audit of other accounts does with the run's own credentials, but for the roles."""
    found = _run_features(work)
    if work.scope.organization is None:
        # Where no role is known by its name, an entry without a way in can only be the account of the credentials.
        audited = _audit_features(work) if work.scope.role is None and without_a_way(work.scope) else set()
        return found | {Feature.REGION_NAMES} | audited
    if work.scope.organization.asks_for_tags:
        found.add(Feature.ACCOUNT_TAGS)
    # The account of the credentials is a member, and audited directly.
    return found | {Feature.ORGANIZATION, Feature.MEMBERS} | _audit_features(work)


def _policy(
    work: Work, features: frozenset[Feature], special: dict[Statement, tuple[Special, ...]] | None = None
) -> IamPolicy:
    needs = needs_of(features)
    publish = {Statement.PUBLISH: (Special(tuple(dict.fromkeys(work.topics))),)} if work.topics else {}
    notes = {Feature.KEYS: _FOREIGN_KEYS, Feature.NOTIFY: _TOPIC_KEYS}
    said = tuple(note for feature, note in notes.items() if feature in features)
    return IamPolicy(allow(needs, work.partition, {**publish, **(special or {})}), needs, said)
