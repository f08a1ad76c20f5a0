"""The JSON Schema: what the model says, published, and of one mind with the model."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from amiguard.core.exception import parse_accepted_grantee
from amiguard.core.trust import parse_trustee
from amiguard.files import settings_fields as fields
from amiguard.files.settings_model import MODELS, SettingsFile
from amiguard.files.settings_schema import PUBLISHED, generated_schema
from amiguard.files.trust_starter import STARTER
from amiguard.files.yaml_source import parse
from amiguard.files.yaml_tree import plain

SCHEMA = json.loads(PUBLISHED.read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())

EXCEPTION = "version: 1\ntrust: nobody\nexceptions: [{images: %s, grantees: %s, reason: a, owner: b}]"
TRUST = "version: 1\ntrust: {%s}"

TARGETS = "version: 1\ntrust: nobody\ntargets: {%s}"
ROLE = "arn:aws:iam::123456789012:role/audit/Audit"

GOOD = [
    STARTER,
    "version: 1\ntrust: nobody",
    "version: '1'\ntrust: nobody\nexceptions:\ntargets:\n",
    TRUST % "accounts: ['123456789012', {id: '123456789012', name: a, reason: b, expires: 2027-01-31}]",
    TRUST % "organizations: [own, o-abcdefghij, 'arn:aws-cn:organizations::123456789012:organization/o-abcdefghij']",
    TRUST % "organizations: [{id: own}], accounts: , organizational_units: []",
    TRUST % "organizational_units: [ou-ab12-cdefghij, {id: o-abcdefghij/ou-ab12-cdefghij}]",
    TRUST % "organizational_units: ['arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-ab12-cdefghij']",
    EXCEPTION % ("{ids: [ami-01234567, ami-0123456789abcdef0]}", "any"),
    EXCEPTION
    % ("{names: [a], tags: [a, a=, a=b, =b], accounts: ['123456789012'], regions: [eu-central-1]}", "[everyone]"),
    EXCEPTION % ("{names: [a]}", "['123456789012', o-abcdefghij, o-abcdefghij/ou-ab12-cdefghij]"),
    "version: 1\ntrust: nobody\ntargets: {regions: all}",
    "version: 1\ntrust: nobody\ntargets: {regions: [us-gov-west-1, eusc-de-east-1]}",
    TARGETS % "accounts: ['123456789012', {id: '210987654321'}]",
    TARGETS
    % f"accounts: [{{id: '123456789012', role_arn: '{ROLE}', external_id: a1, profile: p, regions: [us-east-1]}}]",
    TARGETS % "organization: {role_name: a/b/Audit, external_id: '12', include: {units: [ou-ab12-cdefghij]}}",
    TARGETS % "organization: {role_name: R, exclude: {accounts: ['123456789012'], tags: [a, =b]}}",
    TARGETS % "roles: {session_name: me, source_identity: me, tags: {a: '', b: c}, duration: 90m}, suspended: fail",
    TARGETS % f"roles: {{chain: ['{ROLE}'], duration: 3600}}, suspended: skip",
    "version: 1\ntrust: nobody\nchecks: all",
    "version: 1\ntrust: nobody\nchecks: [ami-block-public-access, ami-cross-account-access]",
    "version: 1\ntrust: nobody\nremediation: {role_name: a/R, external_id: a1}",
    "version: 1\ntrust: nobody\nevidence: {collect: all, usage_max_age: 24h, deadline: 90s}",
    "version: 1\ntrust: nobody\nevidence: {collect: [usage, keys]}",
    "version: 1\ntrust: nobody\nremediation: {protected_images: {ids: [ami-01234567], names: [a*], tags: [a, =b]}}",
    "version: 1\ntrust: nobody\nnotify: []",
    "version: 1\ntrust: nobody\nnotify: [{url: 'slack://a/b'}, {url_from: A_1, on: change, name: a, report_url: 'https://a/b'}]",
    "version: 1\ntrust: nobody\nnotify: [{sns: 'arn:aws-cn:sns:cn-north-1:123456789012:a.fifo', on: always}]",
]
BAD = [
    *(
        f"version: 1\ntrust: nobody\n{section}"
        for section in (
            "checks:",
            "checks: []",
            "checks: {}",
            "checks: ami-block-public-access",
            "checks: [all]",
            "checks: [ami]",
            "remediation:",
            "remediation: {}",
            "remediation: []",
            "remediation: {role_name: }",
            "remediation: {role_name: /R}",
            "remediation: {external_id: a1}",
            "remediation: {role_name: R, external_id: }",
            "remediation: {protected_images: }",
            "remediation: {protected_images: {}}",
            "remediation: {protected_images: {ids: []}}",
            "remediation: {protected_images: {ids: [ami-1]}}",
            "remediation: {protected_images: {names: ['']}}",
            "remediation: {protected_images: {tags: ['=']}}",
            "remediation: {protected_images: {accounts: ['123456789012']}}",
            "notify: slack://a",
            "notify: [slack://a]",
            "notify: [{}]",
            "notify: [{url: a}]",
            "notify: [{url: }]",
            "notify: [{url_from: 'a://b'}]",
            "notify: [{sns: 'arn:aws:sqs:eu-central-1:123456789012:a'}]",
            "notify: [{url: 'a://b', url_from: A}]",
            "notify: [{url: 'a://b', on: never}]",
            "notify: [{url: 'a://b', name: ' '}]",
            "notify: [{url: 'a://b', report_url: 'ftp://a'}]",
        )
    ),
    "trust: nobody",
    "version: 2\ntrust: nobody",
    "version: 1",
    "version: 1\ntrust:",
    "version: 1\ntrust: somebody",
    "version: 1\ntrust: nobody\nother: x",
    "- a",
    TRUST % "",
    TRUST % "accounts: [], organizations: ",
    TRUST % "accounts: ['12345678901']",
    TRUST % "accounts: [own]",
    TRUST % "accounts: '123456789012'",
    TRUST % "accounts: [{name: a}]",
    TRUST % "accounts: [{id: '123456789012', name: ' '}]",
    TRUST % "accounts: [{id: '123456789012', name: }]",
    TRUST % "accounts: [{id: '123456789012', expires: 2027-02-30}]",
    TRUST % "accounts: [{id: '123456789012', expires: 2027-1-3}]",
    TRUST % "accounts: [{id: '123456789012', other: a}]",
    TRUST % "organizations: [o-abc]",
    TRUST % "organizational_units: [ou-ab12]",
    EXCEPTION % ("{}", "any"),
    EXCEPTION % ("{ids: []}", "any"),
    EXCEPTION % ("{ids: }", "any"),
    EXCEPTION % ("{ids: [ami-1]}", "any"),
    EXCEPTION % ("{tags: [=]}", "any"),
    EXCEPTION % ("{tags: ['']}", "any"),
    EXCEPTION % ("{names: ['']}", "any"),
    EXCEPTION % ("{accounts: ['1']}", "any"),
    EXCEPTION % ("{regions: [all]}", "any"),
    EXCEPTION % ("{names: [a]}", "everyone"),
    EXCEPTION % ("{names: [a]}", "[]"),
    EXCEPTION % ("{names: [a]}", "[own]"),
    EXCEPTION % ("{names: [a]}", "[ou-ab12-cdefghij]"),
    "version: 1\ntrust: nobody\nexceptions: [{images: {names: [a]}, grantees: any}]",
    "version: 1\ntrust: nobody\ntargets: {regions: []}",
    "version: 1\ntrust: nobody\ntargets: {regions: [EU]}",
    "version: 1\ntrust: nobody\ntargets: {regions: }",
    TARGETS % "accounts: []",
    TARGETS % "accounts: ",
    TARGETS % "accounts: [own]",
    TARGETS % "accounts: [{profile: p}]",
    TARGETS % "accounts: [{id: '123456789012', role_arn: Audit}]",
    TARGETS % "accounts: [{id: '123456789012', role_arn: }]",
    TARGETS % "accounts: [{id: '123456789012', external_id: x}]",
    TARGETS % "accounts: [{id: '123456789012', regions: []}]",
    TARGETS % "organization: ",
    TARGETS % "organization: {}",
    TARGETS % "organization: {role_name: /R}",
    TARGETS % "organization: {role_name: R, include: }",
    TARGETS % "organization: {role_name: R, include: {}}",
    TARGETS % "organization: {role_name: R, include: {units: [own]}}",
    TARGETS % "roles: ",
    TARGETS % "roles: {session_name: x}",
    TARGETS % "roles: {source_identity: }",
    TARGETS % "roles: {tags: {}}",
    TARGETS % "roles: {tags: {a: }}",
    TARGETS % "roles: {tags: {'aws:a': b}}",
    TARGETS % "roles: {chain: [R]}",
    TARGETS % "roles: {duration: 1d}",
    TARGETS % "suspended: never",
]


def values(text: str) -> Any:
    top, problems = parse(text, Path("f.yaml"))
    assert top is not None
    assert problems == []
    return plain(top)


def test_what_is_published_is_what_the_model_says() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == generated_schema(), "write it anew, as settings_schema.py tells"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", GOOD)
def test_what_the_model_takes_the_schema_takes(text: str) -> None:
    SettingsFile.model_validate(values(text))

    assert [error.message for error in VALIDATOR.iter_errors(values(text))] == []


@pytest.mark.parametrize("text", BAD)
def test_what_the_model_refuses_the_schema_refuses(text: str) -> None:
    with pytest.raises(ValidationError):
        SettingsFile.model_validate(values(text))

    assert not VALIDATOR.is_valid(values(text))


def test_every_key_is_described_and_no_other_is_allowed() -> None:
    sections = [SCHEMA, *SCHEMA["$defs"].values()]

    assert len(sections) == len(set(MODELS.values()))
    for section in sections:
        assert section["additionalProperties"] is False
        assert section["title"]
        assert section["description"]
        assert [key for key, value in section["properties"].items() if not value.get("description")] == []


def _pattern(field: Any) -> re.Pattern[str]:
    [schema] = [part.json_schema for part in field.__metadata__ if hasattr(part, "json_schema")]
    return re.compile(schema["pattern"].removesuffix("$") + r"\Z", re.ASCII)


TRUSTEES = {"accounts": fields.AccountId, "organizations": fields.OrganizationId, "units": fields.UnitId}


@pytest.mark.parametrize("field", TRUSTEES.values(), ids=TRUSTEES)
@given(data=st.data())
def test_ids_that_fit_the_schema_are_ids(field: Any, data: st.DataObject) -> None:
    parse_trustee(data.draw(st.from_regex(_pattern(field))))


@given(st.from_regex(_pattern(fields.Accepted)))
def test_grantees_that_fit_the_schema_are_grantees(text: str) -> None:
    parse_accepted_grantee(text)
