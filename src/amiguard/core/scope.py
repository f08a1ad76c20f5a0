"""What is to be audited, as it was asked for: accounts, an organization, regions, and how roles are assumed."""

from dataclasses import dataclass

from amiguard.core.exception import TagSelector
from amiguard.core.trust import TrustedUnit


@dataclass(frozen=True, slots=True)
class AccountTarget:
    """One account that is named on its own.

    Attributes:
        role_arn: the role to assume there.
        external_id: what the role's trust policy may ask for.
        profile: the AWS profile to start from, in place of the run's own credentials; a role is assumed from it.
        regions: the regions to audit there; None for those of the scope.
    """

    account_id: str
    role_arn: str | None = None
    external_id: str | None = None
    profile: str | None = None
    regions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AccountSelector:
    """Which accounts of an organization: every key widens (or), and so does every value of a key.

    Attributes:
        units: each with all units and accounts below it.
        tags: compared with the tags of the account.
    """

    accounts: tuple[str, ...] = ()
    units: tuple[TrustedUnit, ...] = ()
    tags: tuple[TagSelector, ...] = ()

    def __post_init__(self) -> None:
        """An empty selector reads as everything or as nothing: it cannot exist."""
        if not (self.accounts or self.units or self.tags):
            raise ValueError("selects nothing: name accounts, units or tags")


@dataclass(frozen=True, slots=True)
class OrganizationTarget:
    """The accounts of the caller's organization; what is excluded stays out, included or not.

    Attributes:
        role_name: the role to assume in each, with its path if it has one: `AmiguardAudit`, `audit/Amiguard`.
        include: None for all.
        exclude: None for none.
    """

    role_name: str
    external_id: str | None = None
    include: AccountSelector | None = None
    exclude: AccountSelector | None = None

    @property
    def asks_for_tags(self) -> bool:
        """Whether some account may be selected by its tags."""
        return any(selector is not None and selector.tags for selector in (self.include, self.exclude))


@dataclass(frozen=True, slots=True)
class NamedRole:
    """A role of the same name in every account that names none itself."""

    role_name: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class RoleOptions:
    """How roles are assumed.

    Attributes:
        source_identity: `sts:SourceIdentity` of every session; None sets none.
        tags: session tags.
        duration: seconds, 900 to 43200; AWS grants no more than 3600 behind a chain.
        chain: ARNs of the roles to go through first, in this order.
    """

    session_name: str = "amiguard"
    source_identity: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    duration: int = 3600
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """All that is to be audited. Neither accounts nor an organization: the caller's own account.

    Attributes:
        regions: None for all that are enabled.
        accounts: named on their own; each entry counts before the organization.
        role: for those `accounts` that name neither role nor profile (`--role-name`).
        suspended_fail: accounts that AWS lets nobody read are failed instead of skipped.
    """

    regions: tuple[str, ...] | None = None
    accounts: tuple[AccountTarget, ...] = ()
    organization: OrganizationTarget | None = None
    role: NamedRole | None = None
    roles: RoleOptions = RoleOptions()
    suspended_fail: bool = False

    def __post_init__(self) -> None:
        """Two entries of one account would make the order decide."""
        if len({one.account_id for one in self.accounts}) < len(set(self.accounts)):
            raise ValueError("an account is named twice, each time otherwise")
