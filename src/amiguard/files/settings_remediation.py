"""The section `remediation` of the settings file: by which role images are changed, and which never are."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from amiguard.core.exception import ImageSelector
from amiguard.core.remediation import RemediationSettings
from amiguard.core.scope import NamedRole
from amiguard.files.settings_fields import ImageId, TagText, Text
from amiguard.files.settings_section import Section
from amiguard.files.settings_target_fields import WRITTEN, OptionalExternalId, OptionalRoleName


class ProtectedImagesSection(Section):
    """Images that are never changed: those that any key names (or)."""

    model_config = ConfigDict(title="Protected images", json_schema_extra={"minProperties": 1})

    ids: list[ImageId] = Field(default_factory=list, min_length=1, description="Image ids.")
    names: list[Text] = Field(
        default_factory=list,
        min_length=1,
        description="Shell patterns over the whole name (`golden-*`). Whoever may name images decides.",
    )
    tags: list[TagText] = Field(
        default_factory=list,
        min_length=1,
        description="Tags: `key`, `key=value` or `=value`. Whoever may tag images decides.",
    )

    @model_validator(mode="after")
    def _protects_something(self) -> Self:
        if not self.selectors():
            raise ValueError("protects nothing: name images by ids, names or tags")
        return self

    def selectors(self) -> tuple[ImageSelector, ...]:
        """As core selects images: one selector a key, since any of them protects."""
        return (
            *([ImageSelector(ids=tuple(self.ids))] if self.ids else ()),
            *([ImageSelector(names=tuple(self.names))] if self.names else ()),
            *([ImageSelector(tags=tuple(self.tags))] if self.tags else ()),
        )


class RemediationSection(Section):
    """How images are changed, and which never are."""

    model_config = ConfigDict(
        title="Remediation",
        json_schema_extra={"minProperties": 1, "dependentRequired": {"external_id": ["role_name"]}},
    )

    role_name: OptionalRoleName = Field(
        default=None,
        description="The role that changes assume in each account, after its path if it has one; without it, that of "
        "audits.",
    )
    # After the role, by which it is judged.
    external_id: OptionalExternalId = Field(default=None, description="The external id that the role asks for.")
    protected_images: Annotated[ProtectedImagesSection | None, *WRITTEN] = Field(
        default=None, description="Images that are never changed; at least one key."
    )

    @field_validator("external_id", mode="after")
    @classmethod
    def _for_some_role(cls, external_id: str, info: ValidationInfo) -> str:
        if info.data.get("role_name", "") is None:
            raise ValueError("no role is named that could ask for it: add role_name, or delete the key")
        return external_id

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("is empty: write role_name or protected_images, or delete the key")
        return self

    def settings(self) -> RemediationSettings:
        """As core knows it."""
        return RemediationSettings(
            role=NamedRole(self.role_name, self.external_id) if self.role_name is not None else None,
            protected=self.protected_images.selectors() if self.protected_images else (),
        )
