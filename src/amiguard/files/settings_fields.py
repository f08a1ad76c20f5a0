"""The single values of the settings file: how pydantic reads each, and how its JSON Schema describes it.

`settings_values` reads the texts; the patterns here are the same rules in the words of JSON Schema.
"""

from datetime import date
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from amiguard.core.checks.registry import CHECK_IDS
from amiguard.core.exception import AcceptedGrantee, TagSelector
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit
from amiguard.files import settings_values as values

_ACCOUNT = "[0-9]{12}"
ORGANIZATION = "o-[a-z0-9]{10,32}"
UNIT = "ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}"
_ARN = f"arn:aws[a-z-]*:organizations::{_ACCOUNT}"
UNIT_ARN = f"{_ARN}:ou/{ORGANIZATION}/{UNIT}"
_ARNS = f"{_ARN}:organization/{ORGANIZATION}|{UNIT_ARN}"


def pattern_schema(pattern: str, description: str, *examples: str) -> WithJsonSchema:
    """The JSON Schema of a text that fits a pattern."""
    schema = {"type": "string", "pattern": f"^(?:{pattern})$", "description": description}
    return WithJsonSchema({**schema, "examples": list(examples)} if examples else schema)


_TEXT = WithJsonSchema({"type": "string", "pattern": r"\S"})
_DAY = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
ACCOUNT_SCHEMA = pattern_schema(_ACCOUNT, "An account id: twelve digits. Quote it.", "123456789012")
_REGION_SCHEMA = pattern_schema("[a-z]{2,}(?:-[a-z]+)+-[0-9]+", "The name of a region.", "eu-central-1")

Text = Annotated[str, PlainValidator(values.read_text), _TEXT]
OptionalText = Annotated[str | None, PlainValidator(values.read_text), _TEXT]
OptionalDay = Annotated[date | None, PlainValidator(values.read_day), WithJsonSchema(_DAY)]
Region = Annotated[str, PlainValidator(values.read_region), _REGION_SCHEMA]
AccountId = Annotated[TrustedAccount, PlainValidator(values.read_account), ACCOUNT_SCHEMA]
OrganizationId = Annotated[
    TrustedOrganization,
    PlainValidator(values.read_organization),
    pattern_schema(
        f"own|{ORGANIZATION}|{_ARN}:organization/{ORGANIZATION}",
        "An organization: its id, its ARN, or `own` for the organization of the audited account.",
        "own",
        "o-abcdefghij",
    ),
]
UnitId = Annotated[
    TrustedUnit,
    PlainValidator(values.read_unit),
    pattern_schema(
        f"(?:{ORGANIZATION}/)?{UNIT}|{UNIT_ARN}",
        "An organizational unit: organization and unit id, or its ARN; a unit id alone means the own organization.",
        "o-abcdefghij/ou-ab12-cdefghij",
    ),
]
Accepted = Annotated[
    AcceptedGrantee,
    PlainValidator(values.read_accepted),
    pattern_schema(
        f"everyone|{_ACCOUNT}|{ORGANIZATION}(?:/{UNIT})?|{_ARNS}",
        "`everyone` (a public image), an account id, an organization (id or ARN) or a unit (`o-.../ou-...` or ARN).",
        "everyone",
        "123456789012",
    ),
]
ImageId = Annotated[
    str,
    PlainValidator(values.read_image_id),
    pattern_schema("ami-[0-9a-f]{8}(?:[0-9a-f]{9})?", "An image id.", "ami-0123456789abcdef0"),
]
TagText = Annotated[
    TagSelector,
    PlainValidator(values.read_tag),
    pattern_schema("[^=][\\s\\S]*|=[\\s\\S]+", "`key`, `key=value` or `=value`; compared exactly.", "Purpose=public"),
]
CheckId = Annotated[str, PlainValidator(values.read_check), WithJsonSchema({"enum": sorted(CHECK_IDS)})]
ImageAccount = Annotated[str, PlainValidator(values.read_account_id), ACCOUNT_SCHEMA]
RuleId = Annotated[
    str,
    PlainValidator(values.read_rule_id),
    pattern_schema(
        f"(?!{values.OTHER_RULE_ID}$){values.RULE_ID}", "A rule id of Conformity, without colons.", "CUSTOM-001"
    ),
]
Version = Annotated[int, PlainValidator(values.read_version), WithJsonSchema({"enum": [1, values.VERSION]})]
