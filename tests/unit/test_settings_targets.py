"""The section `targets`: what it comes to, what it is warned of, and every mistake with its place and its mend."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.errors import SettingsError
from amiguard.core.exception import TagSelector
from amiguard.core.scope import AccountSelector, AccountTarget, OrganizationTarget, RoleOptions, Scope
from amiguard.core.trust import TrustedUnit
from amiguard.files.settings import settings_of
from amiguard.files.settings_record import Settings
from amiguard.files.settings_target_values import read_duration, read_session_tags

HEAD = "version: 1\ntrust: nobody\ntargets:\n"
ROLE = "arn:aws:iam::123456789012:role/Audit"
EVERY_KEY = f"""\
  regions: [eu-central-1, us-east-1]
  accounts:
    - 012345670123
    - id: "123456789012"
      role_arn: {ROLE}
      external_id: a:b/c
      profile: acquired company
      regions: [us-west-2, us-west-2]
    - {{id: "234567890123", role_arn: "arn:aws-us-gov:iam::234567890123:role/audit/of/Images"}}
  organization:
    role_name: audit/Amiguard
    external_id: "1234"
    include:
      accounts: ["333333333333"]
      units: [ou-ab12-cdefghij, o-abcdefghij/ou-ab12-cdefghij]
      tags: [Env, "Env=prod", "=prod"]
    exclude:
      units: ["arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-ab12-cdefghij"]
  roles:
    session_name: amiguard-nightly
    source_identity: security@example.com
    tags: {{Team: security, Kostenträger: "", "a b": x/y}}
    duration: 45m
    chain: ["arn:aws:iam::111122223333:role/Hub", "{ROLE}"]
  suspended: fail
"""


def load(section: str) -> Settings:
    return settings_of(HEAD + section, Path("f.yaml"), today=date(2026, 8, 1))


def mistakes(section: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(section)
    return caught.value.message.split("\n")[1:]


def test_every_key() -> None:
    assert load(EVERY_KEY).scope == Scope(
        regions=("eu-central-1", "us-east-1"),
        accounts=(
            AccountTarget("012345670123"),
            AccountTarget("123456789012", ROLE, "a:b/c", "acquired company", ("us-west-2",)),
            AccountTarget("234567890123", "arn:aws-us-gov:iam::234567890123:role/audit/of/Images"),
        ),
        organization=OrganizationTarget(
            role_name="audit/Amiguard",
            external_id="1234",
            include=AccountSelector(
                ("333333333333",),
                (TrustedUnit(None, "ou-ab12-cdefghij"), TrustedUnit("o-abcdefghij", "ou-ab12-cdefghij")),
                (TagSelector("Env", None), TagSelector("Env", "prod"), TagSelector(None, "prod")),
            ),
            exclude=AccountSelector(units=(TrustedUnit("o-abcdefghij", "ou-ab12-cdefghij", "111122223333"),)),
        ),
        roles=RoleOptions(
            session_name="amiguard-nightly",
            source_identity="security@example.com",
            tags=(("Team", "security"), ("Kostenträger", ""), ("a b", "x/y")),
            duration=2700,
            chain=("arn:aws:iam::111122223333:role/Hub", ROLE),
        ),
        suspended_fail=True,
    )


@pytest.mark.parametrize(
    "section", ["", "  regions: all\n", "  suspended: skip\n", "  roles: {}\n", "  roles: {duration: 1h}\n"]
)
def test_what_is_not_written_is_the_own_account_in_all_regions(section: str) -> None:
    settings = load(section)

    assert (settings.scope, settings.regions) == (Scope(), None)


@pytest.mark.parametrize(
    ("written", "seconds"), [("900", 900), ("3600s", 3600), ("15m", 900), ("12h", 43200), ("43200", 43200)]
)
def test_durations(written: str, seconds: int) -> None:
    assert load(f"  roles: {{duration: {written}}}\n").scope.roles.duration == seconds


@given(st.text() | st.from_regex(r"[0-9]{1,7}[smh]?", fullmatch=True))
def test_a_duration_is_within_bounds_or_a_mistake(text: str) -> None:
    with suppress(ValueError):
        assert 900 <= read_duration(text) <= 43200


def test_longer_sessions_without_a_chain() -> None:
    assert load("  roles: {duration: 12h}\n").scope.roles.duration == 43200


WORDS = "A-Za-z0-9_+=,.@-"
ACCOUNTS = [
    ("[1234]", "0]: an account id has 12 digits, this has 4"),
    ("[1234-5678-9012]", '0]: write the account id without separators: "123456789012"'),
    ("[own]", "0]: expected a 12-digit account id"),
    ("[]", ": is empty: list at least one value, or delete the key"),
    ("", ": expected a list, found nothing: write one value a line, each after a dash"),
    ("all", ": expected a list, found text: write one value a line, each after a dash"),
    ("[~]", "0]: expected a 12-digit account id, found nothing"),
    ("[[x]]", "0]: expected a 12-digit account id, found a list"),
    (
        f'["{ROLE}"]',
        "0]: expected a 12-digit account id, this is an ARN: write the id, and a role's ARN under role_arn",
    ),
    (f"[{{role_arn: '{ROLE}'}}]", "0].id: is missing: say which account is meant"),
    (
        "[{id: '123456789012', role_anr: x}]",
        "0].role_anr: unknown key, did you mean `role_arn`?",
    ),
    (
        "[{id: '123456789012', color: x}]",
        "0].color: unknown key; known here: external_id, id, profile, regions, role_arn",
    ),
    (
        f"[{{id: '210987654321', role_arn: '{ROLE}'}}]",
        "0].role_arn: this role belongs to 123456789012, not to 210987654321",
    ),
    (
        "[{id: '123456789012', role_arn: }]",
        "0].role_arn: expected the ARN of a role, found nothing",
    ),
    (
        "[{id: '123456789012', role_arn: Audit}]",
        "0].role_arn: the ARN of a role reads arn:aws:iam::<12 digits>:role/<name>",
    ),
    (
        "[{id: '123456789012', role_arn: 'arn:aws:iam::123456789012:user/Audit'}]",
        "0].role_arn: the ARN of a role reads arn:aws:iam::<12 digits>:role/<name>",
    ),
    (
        "[{id: '123456789012', role_arn: 'arn:aws-cn:sts::123456789012:assumed-role/Audit/me'}]",
        "0].role_arn: this is a session, not its role: write arn:aws-cn:iam::123456789012:role/Audit, with the role's "
        "path if it has one",
    ),
    (
        "[{id: '123456789012', external_id: x}]",
        "0].external_id: an external id reads <2 to 1224 of A-Za-z0-9_+=,.@:/->",
    ),
    (
        "[{id: '123456789012', profile: p, external_id: xx}]",
        "0].external_id: a profile alone assumes no role that could ask for it: add role_arn, or delete the key",
    ),
    ("[{id: '123456789012', profile: ' '}]", "0].profile: is blank: write something"),
    (
        "[{id: '123456789012', regions: all}]",
        "0].regions: expected a list, found text: write one value a line, each after a dash",
    ),
    ("[{id: '123456789012', regions: []}]", "0].regions: is empty: list at least one value, or delete the key"),
    (
        "[{id: '123456789012', regions: [EU]}]",
        "0].regions[0]: expected the name of a region, such as eu-central-1",
    ),
    (
        f"['123456789012', {{id: '123456789012', role_arn: '{ROLE}'}}]",
        "1]: 123456789012 stands already as accounts[0], and otherwise: keep one of them",
    ),
]


@pytest.mark.parametrize(("written", "message"), ACCOUNTS)
def test_accounts(written: str, message: str) -> None:
    [line] = mistakes(f"  accounts: {written}\n")

    place = "targets.accounts" + ("" if message.startswith(":") else "[")
    assert line.split(": ", 1)[0].startswith("f.yaml:4:")
    assert line.split(": ", 1)[1] == place + message


ORGANIZATION = [
    ("", ": expected keys, found nothing: write them, or delete the key"),
    ("all", ": expected keys, found text"),
    ("{}", ".role_name: is missing: name the role to assume in each account"),
    ("{role_name: }", ".role_name: expected the name of a role, found nothing"),
    ("{role_name: a b}", f".role_name: the name of a role reads <1 to 64 of {WORDS}>, after its path if it has one"),
    (
        f"{{role_name: '{ROLE}'}}",
        ".role_name: expected the name of a role, this is an ARN: write Audit",
    ),
    ("{role_name: /audit/Role}", ".role_name: write the role without a slash before it: audit/Role"),
    ("{role_name: R, rolename: x}", ".rolename: unknown key, did you mean `role_name`?"),
    ("{role_name: R, include: }", ".include: expected keys, found nothing: write them, or delete the key"),
    ("{role_name: R, exclude: {}}", ".exclude: selects nothing: name accounts, units or tags"),
    ("{role_name: R, exclude: [x]}", ".exclude: expected keys, found a list"),
    (
        "{role_name: R, exclude: {unit: [x]}}",
        ".exclude.unit: unknown key, did you mean `units`?",
    ),
    (
        "{role_name: R, exclude: {tags: []}}",
        ".exclude.tags: is empty: list at least one value, or delete the key",
    ),
    (
        "{role_name: R, exclude: {tags: ['=']}}",
        ".exclude.tags[0]: a tag selector reads key, key=value or =value",
    ),
    (
        "{role_name: R, include: {units: [ou-x]}}",
        ".include.units[0]: a unit id reads ou-<4 to 32 of 0-9a-z>-<8 to 32 of 0-9a-z>",
    ),
    (
        "{role_name: R, include: {units: [Sandbox]}}",
        ".include.units[0]: expected a unit (ou-..., o-.../ou-..., or its ARN)",
    ),
    (
        "{role_name: R, include: {units: [o-abcdefghij]}}",
        ".include.units[0]: expected a unit (ou-..., o-.../ou-..., or its ARN)",
    ),
    (
        "{role_name: R, include: {accounts: ['333333333333']}, exclude: {accounts: ['444444444444', '333333333333']}}",
        ".exclude.accounts[1]: stands under include too: keep one of them",
    ),
    (
        "{role_name: R, include: {units: [ou-ab12-cdefghij]}, exclude: {units: [ou-ab12-cdefghij]}}",
        ".exclude.units[0]: stands under include too: keep one of them",
    ),
]


@pytest.mark.parametrize(("written", "message"), ORGANIZATION)
def test_organization(written: str, message: str) -> None:
    [line] = mistakes(f"  organization: {written}\n")

    assert line.split(": ", 1)[1] == f"targets.organization{message}"


ROLES = [
    ("", ": expected keys, found nothing: write them, or delete the key"),
    ("{session_name: x}", f".session_name: the name of a session reads <2 to 64 of {WORDS}>"),
    ("{session_name: a b}", f".session_name: the name of a session reads <2 to 64 of {WORDS}>"),
    ("{session_name: }", ".session_name: expected the name of a session, found nothing"),
    ("{source_identity: 'aws:me'}", f".source_identity: a source identity reads <2 to 64 of {WORDS}>"),
    ("{duration: 14m}", ".duration: AWS takes 15m to 12h"),
    ("{duration: 43201}", ".duration: AWS takes 15m to 12h"),
    (
        "{duration: an hour}",
        ".duration: expected a duration: seconds (3600), or a number with s, m or h (90m)",
    ),
    ("{duration: }", ".duration: expected a duration, such as 1h, found nothing"),
    (
        f"{{duration: 61m, chain: ['{ROLE}']}}",
        ".duration: AWS grants one hour at most to a role behind a chain: write 1h, or delete the chain",
    ),
    ("{chain: []}", ".chain: is empty: list at least one value, or delete the key"),
    ("{chain: [Hub]}", ".chain[0]: the ARN of a role reads arn:aws:iam::<12 digits>:role/<name>"),
    ("{tags: [x]}", ".tags: expected keys, found a list"),
    ("{tags: {}}", ".tags: is empty: write at least one tag, or delete the key"),
    (f"{{tags: {{{', '.join(f'k{n}: v' for n in range(51))}}}}}", ".tags: AWS takes 50 tags at most, these are 51"),
    ("{tags: {Team: }}", '.tags.Team: expected text, found nothing: an empty value is written ""'),
    ("{tags: {Team: [x]}}", '.tags.Team: expected text, found a list: an empty value is written ""'),
    ("{tags: {'AWS:x': y}}", ".tags.AWS:x: keys that begin with aws: are AWS's own"),
    ("{tags: {x: 'aws:y'}}", ".tags.x: values that begin with aws: are AWS's own"),
    ("{tags: {'a;b': y}}", ".tags.a;b: the key of a tag has letters, digits, spaces and _.:/=+-@"),
    ("{tags: {x: 'a;b'}}", ".tags.x: the value of a tag has letters, digits, spaces and _.:/=+-@"),
    ("{tags: {'': x}}", '.tags."": the key of a tag has 1 to 128 characters, this has 0'),
    (
        f"{{tags: {{x: {'a' * 257}}}}}",
        ".tags.x: the value of a tag has 256 characters at most, this has 257",
    ),
    ("{tags: {Team: a, team: b}}", ".tags.team: AWS takes this for the same key as Team: keep one of them"),
    ("{sessionname: x}", ".sessionname: unknown key, did you mean `session_name`?"),
    ("{name: x}", ".name: unknown key; known here: chain, duration, session_name, source_identity, tags"),
]


@pytest.mark.parametrize(("written", "message"), ROLES)
def test_roles(written: str, message: str) -> None:
    [line] = mistakes(f"  roles: {written}\n")

    assert line.split(": ", 1)[1] == f"targets.roles{message}"


@pytest.mark.parametrize("written", ["", "never", "[skip]"])
def test_suspended(written: str) -> None:
    [line] = mistakes(f"  suspended: {written}\n")

    assert line.split(": ", 1)[1] == "targets.suspended: expected `skip` or `fail`"


def test_all_mistakes_are_told_at_once() -> None:
    assert mistakes(
        f"""\
  accounts:
    - 1234
    - id: "210987654321"
      role_arn: {ROLE}
      regions: [EU]
  organization:
    exclude: {{units: [x], accounts: [y]}}
  roles:
    duration: 5h
    chain: ["{ROLE}"]
    tags: {{Team: , "aws:x": y}}
  suspended: maybe
  region: all
"""
    ) == [
        "f.yaml:5:7: targets.accounts[0]: an account id has 12 digits, this has 4",
        "f.yaml:7:17: targets.accounts[1].role_arn: this role belongs to 123456789012, not to 210987654321",
        "f.yaml:8:17: targets.accounts[1].regions[0]: expected the name of a region, such as eu-central-1",
        "f.yaml:10:5: targets.organization.role_name: is missing: name the role to assume in each account",
        "f.yaml:10:23: targets.organization.exclude.units[0]: expected a unit (ou-..., o-.../ou-..., or its ARN)",
        "f.yaml:10:38: targets.organization.exclude.accounts[0]: expected a 12-digit account id",
        "f.yaml:12:15: targets.roles.duration: AWS grants one hour at most to a role behind a chain: write 1h, or "
        "delete the chain",
        '''f.yaml:14:12: targets.roles.tags.Team: expected text, found nothing: an empty value is written ""''',
        "f.yaml:14:29: targets.roles.tags.aws:x: keys that begin with aws: are AWS's own",
        "f.yaml:15:14: targets.suspended: expected `skip` or `fail`",
        "f.yaml:16:3: targets.region: unknown key, did you mean `regions`?",
    ]


def test_every_account_in_two_ways_is_told() -> None:
    assert mistakes(
        '  accounts:\n    - "123456789012"\n    - "234567890123"\n'
        '    - {id: "123456789012", profile: a}\n    - {id: "234567890123", regions: [us-east-1]}\n'
    ) == [
        "f.yaml:7:7: targets.accounts[2]: 123456789012 stands already as accounts[0], and otherwise: keep one of them",
        "f.yaml:8:7: targets.accounts[3]: 234567890123 stands already as accounts[1], and otherwise: keep one of them",
    ]


def test_what_is_written_twice_counts_once_and_is_warned_of() -> None:
    settings = load(
        '  accounts:\n    - "123456789012"\n    - {id: "123456789012"}\n    - "123456789012"\n'
        "    - {id: '234567890123', regions: [us-east-1, us-east-1]}\n"
    )

    assert settings.scope.accounts == (
        AccountTarget("123456789012"),
        AccountTarget("234567890123", regions=("us-east-1",)),
    )
    assert settings.warnings == (
        "f.yaml:6:7: targets.accounts[1]: 123456789012 stands already in line 5: keep one of them",
        "f.yaml:7:7: targets.accounts[2]: stands already in line 5: keep one of them",
        "f.yaml:8:49: targets.accounts[3].regions[1]: stands already in line 8: keep one of them",
    )


def test_accounts_by_tag_are_warned_of() -> None:
    mend = "prefer accounts or units, or guard who may tag"

    assert load("  organization: {role_name: R, include: {tags: [a]}, exclude: {tags: [b]}}\n").warnings == (
        "f.yaml:4:48: targets.organization.include.tags: whoever may tag accounts decides what is audited: " + mend,
        "f.yaml:4:70: targets.organization.exclude.tags: whoever may tag accounts decides what is not audited: " + mend,
    )


@given(st.dictionaries(st.text(), st.text()))
def test_session_tags_are_taken_as_they_are_or_refused(tags: dict[str, str]) -> None:
    with suppress(ValueError):
        assert dict(read_session_tags(tags)) == tags
