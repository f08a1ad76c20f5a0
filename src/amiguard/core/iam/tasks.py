"""What amiguard is to do, and the policies that permit exactly that: in an account, and on the way into others."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from amiguard.core.checks import ami_block_public_access, ami_snapshot_cross_account
from amiguard.core.errors import SettingsError
from amiguard.core.evidence import EvidenceKind
from amiguard.core.iam.held_images import held_images
from amiguard.core.iam.needs import Feature, Statement, needs_of
from amiguard.core.iam.policy import IamPolicy, Special, allow
from amiguard.core.iam.role_entry import entered_roles, entry_statements, next_roles
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


@dataclass(frozen=True, slots=True)
class Work:
    """What amiguard is to do.

    Attributes:
        trust: whom the policy trusts: if it names organizations, they are asked for.
        scope: which accounts, by which roles.
        checks: those besides that of images, which is always made.
        evidence: the kinds that are collected.
        topics: ARNs of the SNS topics of `notify`.
        change_snapshots: whether `apply` may change snapshots.
        change_block_public_access: whether `apply` may change image block public access.
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
    if not of_accounts:
        if any(one.profile for one in work.scope.accounts):
            raise SettingsError("all accounts are entered by profiles: the run's own credentials assume no role")
        raise SettingsError(
            "nothing says which role is assumed in the accounts",
            hint="name it with --role-name, or in targets of the settings",
        )
    features = {Feature.ROLES}
    if work.scope.roles.source_identity is not None:
        features.add(Feature.SOURCE_IDENTITY)
    if work.scope.roles.tags:
        features.add(Feature.SESSION_TAGS)
    if after is None:
        features |= _trust_features(work) if changing else _own_features(work)
    entered = next_roles(work.scope.roles, of_accounts, after)
    policy = _policy(work, frozenset(features), entry_statements(entered, work.scope.roles))
    return replace(policy, notes=(*policy.notes, *_entry_notes(work, changing=changing, after=after)))


def _entry_notes(work: Work, *, changing: bool, after: str | None) -> Iterator[str]:
    if after is None:
        for hub in work.scope.roles.chain:
            yield f"the role {hub} of the chain needs a policy of its own: --chain-role {hub}"
    for one in work.scope.accounts:
        if one.profile is not None and one.role_arn is not None:
            yield f"the credentials of the profile {one.profile} need sts:AssumeRole on {one.role_arn}"
    if changing and after is None:
        yield (
            "the account of these credentials is changed directly: if it has images of its own, these credentials need "
            "what `amiguard policy remediation` prints too"
        )


def _audit_features(work: Work) -> set[Feature]:
    """What is asked of an account with its own credentials."""
    found = {Feature.IMAGES, Feature.REFUSALS}
    found |= {_CHECKS[check_id] for check_id in work.checks}
    found |= {_EVIDENCE[kind] for kind in work.evidence}
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
        return found | {Feature.REGION_NAMES}
    if work.scope.organization.asks_for_tags:
        found.add(Feature.ACCOUNT_TAGS)
    # The account of the credentials is a member, and audited directly.
    return found | {Feature.ORGANIZATION, Feature.MEMBERS} | _audit_features(work)


def _policy(
    work: Work, features: frozenset[Feature], special: dict[Statement, tuple[Special, ...]] | None = None
) -> IamPolicy:
    needs = needs_of(features)
    publish = {Statement.PUBLISH: (Special(tuple(dict.fromkeys(work.topics))),)} if work.topics else {}
    notes = (_FOREIGN_KEYS,) if Feature.KEYS in features else ()
    return IamPolicy(allow(needs, work.partition, {**publish, **(special or {})}), needs, notes)
