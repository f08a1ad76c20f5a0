"""The section `targets` of the settings file: which accounts and regions are audited, and by which roles."""

from typing import Annotated, Literal, Self

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from amiguard.core.scope import AccountSelector, AccountTarget, OrganizationTarget, RoleOptions, Scope
from amiguard.files.settings_fields import OptionalText, Region, TagText
from amiguard.files.settings_section import ENTRY, ID, SECTION, WORD, Section, id_or_entry, word_or_section
from amiguard.files.settings_target_fields import (
    WRITTEN,
    Duration,
    OptionalExternalId,
    OptionalRoleArn,
    OptionalSourceIdentity,
    RoleArn,
    RoleName,
    SessionName,
    SessionTags,
    TargetAccount,
    TargetUnit,
)
from amiguard.files.settings_target_values import account_of_role
from amiguard.files.settings_values import MistakesWithin
from amiguard.files.yaml_tree import KeyPath

_CHAINED_SECONDS = 3600
_DEFAULTS = RoleOptions()


class AccountTargetEntry(Section):
    """An account to audit, and the way into it."""

    model_config = ConfigDict(title="Account to audit")

    id: TargetAccount
    role_arn: OptionalRoleArn = Field(default=None, description="The role to assume in the account.")
    profile: OptionalText = Field(
        default=None, description="The AWS profile to start from; with role_arn, the role is assumed from it."
    )
    # After the role and the profile, by which it is judged.
    external_id: OptionalExternalId = Field(default=None, description="The external id that the role asks for.")
    regions: list[Region] = Field(
        default_factory=list,
        min_length=1,
        description="The regions to audit in this account, in place of targets.regions.",
    )

    @field_validator("role_arn", mode="after")
    @classmethod
    def _role_of_this_account(cls, role_arn: str, info: ValidationInfo) -> str:
        account_id = info.data.get("id")
        if account_id is not None and account_of_role(role_arn) != account_id:
            raise ValueError(f"this role belongs to {account_of_role(role_arn)}, not to {account_id}")
        return role_arn

    @field_validator("external_id", mode="after")
    @classmethod
    def _for_some_role(cls, external_id: str, info: ValidationInfo) -> str:
        # Without a profile it may be for the organization's role, or that of the command line.
        if info.data.get("profile") is not None and info.data.get("role_arn", "") is None:
            raise ValueError("a profile alone assumes no role that could ask for it: add role_arn, or delete the key")
        return external_id

    def target(self) -> AccountTarget:
        """As core knows it."""
        regions = tuple(dict.fromkeys(self.regions)) or None
        return AccountTarget(self.id, self.role_arn, self.external_id, self.profile, regions)


class AccountsSection(Section):
    """Which accounts of the organization: those that any key names (or)."""

    model_config = ConfigDict(title="Accounts of the organization", json_schema_extra={"minProperties": 1})

    accounts: list[TargetAccount] = Field(default_factory=list, min_length=1, description="Account ids.")
    units: list[TargetUnit] = Field(
        default_factory=list, min_length=1, description="Organizational units, each with all below it."
    )
    tags: list[TagText] = Field(
        default_factory=list,
        min_length=1,
        description="Tags of the account: `key`, `key=value` or `=value`. Whoever may tag accounts decides.",
    )

    @model_validator(mode="after")
    def _selects_something(self) -> Self:
        self.selector()
        return self

    def selector(self) -> AccountSelector:
        """As core selects accounts.

        Raises:
            ValueError: nothing is selected.
        """
        return AccountSelector(tuple(self.accounts), tuple(self.units), tuple(self.tags))


class OrganizationSection(Section):
    """The accounts of the organization of your credentials. What is excluded stays out, included or not."""

    model_config = ConfigDict(title="Organization to audit")

    role_name: RoleName = Field(description="The role to assume in each account, after its path if it has one.")
    external_id: OptionalExternalId = Field(default=None, description="The external id that the role asks for.")
    include: Annotated[AccountsSection | None, *WRITTEN] = Field(
        default=None, description="Audit these only; without it, all."
    )
    exclude: Annotated[AccountsSection | None, *WRITTEN] = Field(default=None, description="Leave these out.")

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.include and self.exclude:
            message = "stands under include too: keep one of them"
            accounts = [
                (("exclude", "accounts", place), message)
                for place, one in enumerate(self.exclude.accounts)
                if one in self.include.accounts
            ]
            units = [
                (("exclude", "units", place), message)
                for place, one in enumerate(self.exclude.units)
                if one in self.include.units
            ]
            if accounts or units:
                raise MistakesWithin([*accounts, *units])
        return self

    def target(self) -> OrganizationTarget:
        """As core knows it."""
        return OrganizationTarget(
            role_name=self.role_name,
            external_id=self.external_id,
            include=self.include.selector() if self.include else None,
            exclude=self.exclude.selector() if self.exclude else None,
        )


class RolesSection(Section):
    """How roles are assumed."""

    model_config = ConfigDict(title="Roles")

    session_name: SessionName = Field(
        default=_DEFAULTS.session_name, description="The name of every session, as CloudTrail shows it."
    )
    source_identity: OptionalSourceIdentity = Field(
        default=None, description="sts:SourceIdentity of every session; the roles must allow sts:SetSourceIdentity."
    )
    tags: SessionTags = Field(default_factory=tuple, description="Session tags; the roles must allow sts:TagSession.")
    chain: list[RoleArn] = Field(
        default_factory=list,
        min_length=1,
        description="Roles to assume first, in this order: that of a hub account, say.",
    )
    # After the chain, by which it is judged.
    duration: Duration = Field(
        default=_DEFAULTS.duration,
        description="How long a session lasts: 15m to 12h, as far as the role allows; behind a chain 1h at most.",
    )

    @field_validator("duration", mode="after")
    @classmethod
    def _chained_for_an_hour(cls, duration: int, info: ValidationInfo) -> int:
        if info.data.get("chain") and duration > _CHAINED_SECONDS:
            raise ValueError("AWS grants one hour at most to a role behind a chain: write 1h, or delete the chain")
        return duration

    def options(self) -> RoleOptions:
        """As core knows them."""
        return RoleOptions(self.session_name, self.source_identity, self.tags, self.duration, tuple(self.chain))


AccountTargetItem = Annotated[
    Annotated[TargetAccount, Tag(ID)] | Annotated[AccountTargetEntry, Tag(ENTRY)], Discriminator(id_or_entry)
]


class TargetsSection(Section):
    """What is audited. Without accounts and organization: the account of your credentials."""

    model_config = ConfigDict(title="Targets")

    regions: Annotated[
        Annotated[Literal["all"], Tag(WORD)] | Annotated[list[Region], Tag(SECTION), Field(min_length=1)],
        Discriminator(word_or_section),
    ] = Field(default="all", description="A list of regions, or `all` that are enabled in the account.")
    accounts: list[AccountTargetItem] = Field(
        default_factory=list, min_length=1, description="Accounts to audit, each by its id or with the way into it."
    )
    organization: Annotated[OrganizationSection | None, *WRITTEN] = Field(
        default=None, description="Audit the accounts of the organization of your credentials."
    )
    roles: Annotated[RolesSection | None, *WRITTEN] = Field(
        default=None, description="How roles are assumed: their sessions, and a chain."
    )
    suspended: Literal["skip", "fail"] = Field(
        default="skip", description="Accounts that AWS lets nobody read: `skip` them, or `fail` the audit of them."
    )

    @field_validator("accounts", mode="after")
    @classmethod
    def _no_account_in_two_ways(cls, accounts: list[str | AccountTargetEntry]) -> list[str | AccountTargetEntry]:
        first: dict[str, tuple[int, AccountTarget]] = {}
        mistakes: list[tuple[KeyPath, str]] = []
        for place, one in enumerate(map(target_of, accounts)):
            before, same = first.setdefault(one.account_id, (place, one))
            if same != one:
                message = f"{one.account_id} stands already as accounts[{before}], and otherwise: keep one of them"
                mistakes.append(((place,), message))
        if mistakes:
            raise MistakesWithin(mistakes)
        return accounts

    def scope(self) -> Scope:
        """As core knows it."""
        return Scope(
            regions=None if isinstance(self.regions, str) else tuple(dict.fromkeys(self.regions)),
            accounts=tuple(dict.fromkeys(map(target_of, self.accounts))),
            organization=self.organization.target() if self.organization else None,
            roles=self.roles.options() if self.roles else _DEFAULTS,
            suspended_fail=self.suspended == "fail",
        )


def target_of(item: str | AccountTargetEntry) -> AccountTarget:
    """An account to audit, as core knows it."""
    return AccountTarget(item) if isinstance(item, str) else item.target()
