"""The single values that say where roles and accounts are: how pydantic reads each, and its JSON Schema.

`settings_target_values` reads the texts; the patterns are the same.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from amiguard.core.trust import TrustedUnit
from amiguard.files import settings_target_values as values
from amiguard.files.settings_fields import ACCOUNT_SCHEMA, ORGANIZATION, UNIT, UNIT_ARN, pattern_schema

TargetAccount = Annotated[str, PlainValidator(values.read_target_account), ACCOUNT_SCHEMA]
TargetUnit = Annotated[
    TrustedUnit,
    PlainValidator(values.read_target_unit),
    pattern_schema(
        f"(?:{ORGANIZATION}/)?{UNIT}|{UNIT_ARN}",
        "An organizational unit of the organization: `ou-...`, `o-.../ou-...`, or its ARN.",
        "ou-ab12-cdefghij",
    ),
]
_ROLE_NAME = "The name of a role, after its path if it has one."
RoleName = Annotated[
    str, PlainValidator(values.read_role_name), pattern_schema(values.ROLE_NAME, _ROLE_NAME, "AmiguardAudit")
]
_ROLE_ARN_SCHEMA = pattern_schema(values.ROLE_ARN, "The ARN of a role.", "arn:aws:iam::123456789012:role/AmiguardAudit")
RoleArn = Annotated[str, PlainValidator(values.read_role_arn), _ROLE_ARN_SCHEMA]
# A key that is not written is None; a key without a value is a mistake.
OptionalRoleName = Annotated[
    str | None,
    PlainValidator(values.read_role_name),
    pattern_schema(values.ROLE_NAME, _ROLE_NAME, "AmiguardRemediation"),
]
OptionalRoleArn = Annotated[str | None, PlainValidator(values.read_role_arn), _ROLE_ARN_SCHEMA]
OptionalExternalId = Annotated[
    str | None, PlainValidator(values.read_external_id), pattern_schema(values.EXTERNAL_ID, "An external id.")
]
SessionName = Annotated[
    str,
    PlainValidator(values.read_session_name),
    pattern_schema(values.SESSION_NAME, "The name of a session.", "amiguard"),
]
OptionalSourceIdentity = Annotated[
    str | None,
    PlainValidator(values.read_source_identity),
    pattern_schema(values.SESSION_NAME, "A source identity.", "security-team"),
]
SessionTags = Annotated[
    tuple[tuple[str, str], ...],
    PlainValidator(values.read_session_tags),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": values.MAX_TAGS,
            "propertyNames": {"minLength": 1, "maxLength": values.MAX_TAG_KEY, "pattern": "^(?![aA][wW][sS]:)"},
            "additionalProperties": {
                "type": "string",
                "maxLength": values.MAX_TAG_VALUE,
                "pattern": "^(?![aA][wW][sS]:)",
            },
        }
    ),
]
Duration = Annotated[
    int,
    PlainValidator(values.read_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": values.SHORTEST, "maximum": values.LONGEST},
                {"type": "string", "pattern": f"^(?:{values.DURATION})$"},
            ],
            "examples": ["1h", 3600],
        }
    ),
]


def _without_null(schema: dict[str, Any]) -> None:
    [section] = [one for one in schema.pop("anyOf") if one != {"type": "null"}]
    schema.update(section)


WRITTEN = (BeforeValidator(values.read_keys), Field(json_schema_extra=_without_null))
"""For a section that may be left out, and has to hold something where its key is written."""
