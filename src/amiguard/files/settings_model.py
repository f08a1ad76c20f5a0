"""The form of the settings file, as pydantic checks it and as its JSON Schema shows it.

What the docstrings and descriptions here say is what editors show.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.config import JsonDict

from amiguard.core.exception import ImageSelector
from amiguard.files.settings_evidence import EvidenceSection
from amiguard.files.settings_fields import (
    Accepted,
    AccountId,
    CheckId,
    ImageAccount,
    ImageId,
    OptionalDay,
    OptionalText,
    OrganizationId,
    Region,
    RuleId,
    TagText,
    Text,
    UnitId,
    Version,
)
from amiguard.files.settings_notify import NotifySection, refuse_same_names
from amiguard.files.settings_remediation import ProtectedImagesSection, RemediationSection
from amiguard.files.settings_section import ENTRY, ID, SECTION, WORD, Section, id_or_entry, word_or_section
from amiguard.files.settings_target_fields import WRITTEN
from amiguard.files.settings_targets import (
    AccountsSection,
    AccountTargetEntry,
    OrganizationSection,
    RolesSection,
    TargetsSection,
)

NO_TRUST = (
    "the file does not say who is trusted: list accounts, organizations or organizational_units here "
    "(`amiguard trust init` writes an example), or write `trust: nobody`"
)


class _Entry(Section):
    name: OptionalText = Field(default=None, description="How reports name it.")
    reason: OptionalText = Field(default=None, description="Why it is trusted.")
    expires: OptionalDay = Field(
        default=None, description="The last day (UTC) on which it is trusted; for good without it."
    )


class AccountEntry(_Entry):
    """A trusted account."""

    model_config = ConfigDict(title="Trusted account")

    id: AccountId


class OrganizationEntry(_Entry):
    """A trusted organization: its accounts, today's and later ones."""

    model_config = ConfigDict(title="Trusted organization")

    id: OrganizationId


class UnitEntry(_Entry):
    """A trusted organizational unit and all below it."""

    model_config = ConfigDict(title="Trusted organizational unit")

    id: UnitId


AccountItem = Annotated[Annotated[AccountId, Tag(ID)] | Annotated[AccountEntry, Tag(ENTRY)], Discriminator(id_or_entry)]
OrganizationItem = Annotated[
    Annotated[OrganizationId, Tag(ID)] | Annotated[OrganizationEntry, Tag(ENTRY)], Discriminator(id_or_entry)
]
UnitItem = Annotated[Annotated[UnitId, Tag(ID)] | Annotated[UnitEntry, Tag(ENTRY)], Discriminator(id_or_entry)]

_ONE_LIST_AT_LEAST: JsonDict = {
    "anyOf": [
        {"required": [name], "properties": {name: {"type": "array", "minItems": 1}}}
        for name in ("accounts", "organizations", "organizational_units")
    ]
}


class TrustSection(Section):
    """Who may launch your images. At least one entry; `trust: nobody` says that there is none."""

    model_config = ConfigDict(title="Trust policy", json_schema_extra=_ONE_LIST_AT_LEAST)

    accounts: list[AccountItem] | None = Field(default=None, description="Trusted accounts.")
    organizations: list[OrganizationItem] | None = Field(
        default=None, description="Trusted organizations; `own` is the organization of the audited account."
    )
    organizational_units: list[UnitItem] | None = Field(
        default=None, description="Trusted organizational units, each with all units and accounts below it."
    )

    @model_validator(mode="after")
    def _trusts_someone(self) -> Self:
        if not (self.accounts or self.organizations or self.organizational_units):
            raise ValueError(NO_TRUST)
        return self


class ImagesSection(Section):
    """Which images. Keys narrow each other (and), values of one key widen (or)."""

    model_config = ConfigDict(title="Images", json_schema_extra={"minProperties": 1})

    ids: list[ImageId] = Field(default_factory=list, min_length=1, description="Image ids.")
    names: list[Text] = Field(
        default_factory=list,
        min_length=1,
        description="Shell patterns over the whole name (`public-*`). Trusts whoever may name images.",
    )
    tags: list[TagText] = Field(
        default_factory=list,
        min_length=1,
        description="Tags: `key`, `key=value` or `=value`. Trusts whoever may tag images.",
    )
    accounts: list[ImageAccount] = Field(
        default_factory=list, min_length=1, description="The accounts that own the images."
    )
    regions: list[Region] = Field(default_factory=list, min_length=1, description="The regions of the images.")

    @model_validator(mode="after")
    def _selects_something(self) -> Self:
        self.selector()
        return self

    def selector(self) -> ImageSelector:
        """As core selects images.

        Raises:
            ValueError: nothing is selected.
        """
        return ImageSelector(
            ids=tuple(self.ids),
            names=tuple(self.names),
            tags=tuple(self.tags),
            accounts=tuple(self.accounts),
            regions=tuple(self.regions),
        )


class ExceptionEntry(Section):
    """Images that may be shared with someone who is not trusted, on purpose."""

    model_config = ConfigDict(title="Exception")

    images: ImagesSection = Field(description="Which images; at least one key.")
    grantees: Annotated[
        Annotated[Literal["any"], Tag(WORD)] | Annotated[list[Accepted], Tag(SECTION), Field(min_length=1)],
        Discriminator(word_or_section),
    ] = Field(description="Whom they may be shared with: a list, or `any` for whoever it is.")
    reason: Text = Field(description="Why this is accepted.")
    owner: Text = Field(description="Who answers for it.")
    expires: OptionalDay = Field(
        default=None, description="The last day (UTC) on which it is accepted; for good without it."
    )


class ConformitySection(Section):
    """How the report format `conformity` names what it reports."""

    model_config = ConfigDict(title="Conformity")

    rule_id: RuleId = Field(description="The rule id of the check ami-cross-account-access.")


class SettingsFile(Section):
    """Settings of amiguard: who may launch your images, what is accepted on purpose, audited, checked and changed."""

    model_config = ConfigDict(title="amiguard.yaml")

    version: Version = Field(description="The version of this file's form: 1.")
    trust: Annotated[
        Annotated[Literal["nobody"], Tag(WORD)] | Annotated[TrustSection, Tag(SECTION)],
        Discriminator(word_or_section),
    ] = Field(description="Who may launch your images, or `nobody`.")
    exceptions: list[ExceptionEntry] | None = Field(default=None, description="What is accepted on purpose.")
    targets: TargetsSection | None = Field(default=None, description="What is audited.")
    checks: Annotated[
        Annotated[Literal["all"], Tag(WORD)] | Annotated[list[CheckId], Tag(SECTION), Field(min_length=1)],
        Discriminator(word_or_section),
    ] = Field(
        default_factory=list,
        description="Checks to make besides ami-cross-account-access, which is always made: a list, or `all`.",
    )
    evidence: Annotated[EvidenceSection | None, *WRITTEN] = Field(
        default=None, description="What is collected about failing images."
    )
    remediation: Annotated[RemediationSection | None, *WRITTEN] = Field(
        default=None, description="By which role images are changed, and which are not."
    )
    notify: Annotated[list[NotifySection] | None, AfterValidator(refuse_same_names)] = Field(
        default=None, description="Who is told of an audit."
    )
    vendors: OptionalText = Field(
        default=None,
        description="A list of vendors' accounts (YAML: name, source, accounts), beside this file; reviews name them.",
    )
    conformity: Annotated[ConformitySection | None, *WRITTEN] = Field(
        default=None, description="Names in the report format conformity."
    )


MODELS: dict[tuple[str, ...], type[BaseModel]] = {
    (): SettingsFile,
    ("trust",): TrustSection,
    ("trust", "accounts"): AccountEntry,
    ("trust", "organizations"): OrganizationEntry,
    ("trust", "organizational_units"): UnitEntry,
    ("exceptions",): ExceptionEntry,
    ("exceptions", "images"): ImagesSection,
    ("targets",): TargetsSection,
    ("targets", "accounts"): AccountTargetEntry,
    ("targets", "organization"): OrganizationSection,
    ("targets", "organization", "include"): AccountsSection,
    ("targets", "organization", "exclude"): AccountsSection,
    ("targets", "roles"): RolesSection,
    ("evidence",): EvidenceSection,
    ("remediation",): RemediationSection,
    ("remediation", "protected_images"): ProtectedImagesSection,
    ("notify",): NotifySection,
    ("conformity",): ConformitySection,
}
"""The model of every section, by its keys without list places."""
