"""Settings files that cannot be used: every mistake with its place and its mend, all at once."""

from datetime import date
from pathlib import Path

import pytest

from amiguard.core.errors import SettingsError
from amiguard.files.settings import settings_of

NO_TRUST = (
    "the file does not say who is trusted: list accounts, organizations or organizational_units here "
    "(`amiguard trust init` writes an example), or write `trust: nobody`"
)


def mistakes(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings_of(text, Path("f.yaml"), today=date(2026, 8, 1))
    head, *lines = caught.value.message.split("\n")
    count = "1 mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    assert head == f"f.yaml cannot be used: {count}"
    return lines


def mistake(text: str) -> str:
    [line] = mistakes(text)
    return line


ACCOUNTS = [
    ("12345678901", "an account id has 12 digits, this has 11"),
    ('"12345678901"', "an account id has 12 digits, this has 11"),
    ("1234567890123", "an account id has 12 digits, this has 13"),
    ("1234-5678-9012", 'write the account id without separators: "123456789012"'),
    ("1234_5678_9012", 'write the account id without separators: "123456789012"'),
    ('"1234 5678 9012"', 'write the account id without separators: "123456789012"'),
    ('"123456789012 "', 'write the account id without separators: "123456789012"'),
    (
        "arn:aws:iam::123456789012:role/admin",
        'this ARN names neither an organization nor a unit; to trust its account, write "123456789012"',
    ),
    (
        '"\u0661\u0662\u0663456789012"',
        "expected a 12-digit account id, an organization id or ARN (o-...), or a unit (o-.../ou-..., or its ARN)",
    ),
    ("o-abcdefghij", "expected a 12-digit account id, this is an organization: its place is under trust.organizations"),
    (
        "ou-ab12-cdefghij",
        "expected a 12-digit account id, this is a unit: its place is under trust.organizational_units",
    ),
    ("~", "expected a 12-digit account id, found nothing"),
    ("[a]", "expected a 12-digit account id, found a list"),
]


@pytest.mark.parametrize(("written", "message"), ACCOUNTS)
def test_accounts(written: str, message: str) -> None:
    text = f"version: 1\ntrust:\n  accounts:\n    - '000000000000'\n    - {written}\n"
    assert mistake(text) == f"f.yaml:5:7: trust.accounts[1]: {message}"

    text = f"version: 1\ntrust:\n  accounts:\n    - name: x\n      id: {written}\n"
    assert mistake(text) == f"f.yaml:5:11: trust.accounts[0].id: {message}"


@pytest.mark.parametrize(
    ("section", "line"),
    [
        (
            "organizations: [o-ABCDEFGHIJ]",
            "f.yaml:3:19: trust.organizations[0]: an organization id reads o-<10 to 32 of 0-9a-z>",
        ),
        (
            "organizations: ['123456789012']",
            "f.yaml:3:19: trust.organizations[0]: expected an organization (o-..., its ARN, or own), this "
            "is an account: "
            "its place is under trust.accounts",
        ),
        (
            "organizational_units: [ou-ab12]",
            "f.yaml:3:26: trust.organizational_units[0]: a unit id reads ou-<4 to 32 of 0-9a-z>-<8 to 32 of 0-9a-z>",
        ),
        (
            "organizational_units: [own]",
            "f.yaml:3:26: trust.organizational_units[0]: expected a unit (o-.../ou-..., or its ARN), this is an "
            "organization: its place is under trust.organizations",
        ),
        (
            "organizations: own",
            "f.yaml:3:18: trust.organizations: expected a list, found text: write one value a line, each after a dash",
        ),
        (
            "organizations: {id: own}",
            "f.yaml:3:18: trust.organizations: expected a list, found keys: write one value a line, each after a dash",
        ),
        (
            "organizations: [{name: x}]",
            "f.yaml:3:19: trust.organizations[0].id: is missing: an entry names whom it trusts",
        ),
        (
            "organizations: [{id: own, name: }]",
            "f.yaml:3:29: trust.organizations[0].name: expected text, found nothing",
        ),
        (
            "organizations: [{id: own, name: [x]}]",
            "f.yaml:3:35: trust.organizations[0].name: expected text, found a list",
        ),
        (
            "organizations: [{id: own, reason: ' '}]",
            "f.yaml:3:37: trust.organizations[0].reason: is blank: write something",
        ),
        (
            "organizations: [{id: own, nmae: x}]",
            "f.yaml:3:29: trust.organizations[0].nmae: unknown key, did you mean `name`?",
        ),
        (
            "organizations: [{id: own, color: x}]",
            "f.yaml:3:29: trust.organizations[0].color: unknown key; known here: expires, id, name, reason",
        ),
        (
            "organizations: [{id: own, expires: 2027-02-30}]",
            "f.yaml:3:38: trust.organizations[0].expires: the calendar has no day 2027-02-30",
        ),
        (
            "organizations: [{id: own, expires: 31.01.2027}]",
            "f.yaml:3:38: trust.organizations[0].expires: expected a day, YYYY-MM-DD",
        ),
        (
            "organizations: [{id: own, expires: 2027-01-31T00:00:00Z}]",
            "f.yaml:3:38: trust.organizations[0].expires: expected a day, YYYY-MM-DD",
        ),
        (
            "organizations: [{id: own, expires: }]",
            "f.yaml:3:29: trust.organizations[0].expires: expected a day, YYYY-MM-DD, found nothing",
        ),
    ],
)
def test_entries(section: str, line: str) -> None:
    assert mistake(f"version: 1\ntrust:\n  {section}\n") == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", f"f.yaml:1:1: trust: {NO_TRUST}"),
        ("# nothing yet\n", f"f.yaml:1:1: trust: {NO_TRUST}"),
        ("version: 1\n", f"f.yaml:1:1: trust: {NO_TRUST}"),
        ("version: 1\ntrust:\n", f"f.yaml:2:1: trust: {NO_TRUST}"),
        ("version: 1\ntrust: {}\n", f"f.yaml:2:8: trust: {NO_TRUST}"),
        ("version: 1\ntrust:\n  accounts:\n  organizations: []\n", f"f.yaml:3:3: trust: {NO_TRUST}"),
        ("version: 1\ntrust: none\n", "f.yaml:2:8: trust: expected lists of who is trusted, or `nobody`"),
        ("version: 1\ntrust: ''\n", "f.yaml:2:8: trust: expected lists of who is trusted, or `nobody`"),
        ("version: 1\ntrust: [nobody]\n", "f.yaml:2:8: trust: expected keys, found a list"),
        ("trust: nobody\n", "f.yaml:1:1: version: is missing: write `version: 1`"),
        ("version: 2\ntrust: nobody\n", "f.yaml:1:10: version: this amiguard reads version 1: write `version: 1`"),
        ("version: 1\ntrust: nobody\ntrsut: x\n", "f.yaml:3:1: trsut: unknown key, did you mean `trust`?"),
        (
            'version: 1\ntrust: nobody\n"a\\nf.yaml:9:9: b": x\n',
            'f.yaml:3:1: "a\\nf.yaml:9:9: b": unknown key; known here: checks, conformity, evidence, exceptions, '
            "notify, remediation, targets, trust, vendors, version",
        ),
        ("- trust\n", "f.yaml:1:1: expected the keys of a settings file"),
        ("nobody", "f.yaml:1:1: expected the keys of a settings file"),
        (
            "version: 1\ntrust: nobody\ntrust: nobody\n",
            "f.yaml:3:1: trust: this key stands already in line 2: keep one of them",
        ),
        ("version: 1\ntrust: nobody\n? [a]\n: b\n", "f.yaml:3:3: a key must be text"),
        ("version: 1\ntrust: nobody\n~: b\n", "f.yaml:3:1: a key must be text"),
        (
            "version: 1\ntrust: nobody\ntargets: {regions: []}\n",
            "f.yaml:3:20: targets.regions: is empty: list at least one value",
        ),
        (
            "version: 1\ntrust: nobody\ntargets: {regions: every}\n",
            "f.yaml:3:20: targets.regions: expected a list of regions, or `all`",
        ),
        (
            "version: 1\ntrust: nobody\ntargets: {regions: }\n",
            "f.yaml:3:11: targets.regions: expected a list of regions, or `all`, found nothing",
        ),
        (
            "version: 1\ntrust: nobody\ntargets: {regions: [EU]}\n",
            "f.yaml:3:21: targets.regions[0]: expected the name of a region, such as eu-central-1",
        ),
        ("version: 1\ntrust: nobody\nexceptions: [x]\n", "f.yaml:3:14: exceptions[0]: expected keys, found text"),
    ],
)
def test_sections(text: str, line: str) -> None:
    assert mistake(text) == line


@pytest.mark.parametrize(
    ("images", "grantees", "line"),
    [
        (
            "{}",
            "any",
            "f.yaml:4:13: exceptions[0].images: an exception must name its images by ids, names, tags, "
            "accounts or regions",
        ),
        ("", "any", "f.yaml:4:5: exceptions[0].images: expected keys, found nothing"),
        (
            "{ids: [], regions: [eu-central-1]}",
            "any",
            "f.yaml:4:19: exceptions[0].images.ids: is empty: list at least one value, or delete the key",
        ),
        (
            "{ids: , regions: [eu-central-1]}",
            "any",
            "f.yaml:4:14: exceptions[0].images.ids: expected a list, found nothing: write one value a line, "
            "each after a "
            "dash",
        ),
        (
            "{ids: [ami-1]}",
            "any",
            "f.yaml:4:20: exceptions[0].images.ids[0]: an image id reads ami-<8 or 17 of 0-9a-f>",
        ),
        ("{names: ['']}", "any", "f.yaml:4:22: exceptions[0].images.names[0]: is blank: write something"),
        (
            "{tags: ['=']}",
            "any",
            "f.yaml:4:21: exceptions[0].images.tags[0]: a tag selector reads key, key=value or =value",
        ),
        ("{accounts: [own]}", "any", "f.yaml:4:25: exceptions[0].images.accounts[0]: expected a 12-digit account id"),
        (
            "{accounts: [1]}",
            "any",
            "f.yaml:4:25: exceptions[0].images.accounts[0]: an account id has 12 digits, this has 1",
        ),
        ("{id: [ami-01234567]}", "any", "f.yaml:4:14: exceptions[0].images.id: unknown key, did you mean `ids`?"),
        ("{ids: [ami-01234567]}", "[]", "f.yaml:5:15: exceptions[0].grantees: is empty: list at least one value"),
        ("{ids: [ami-01234567]}", "everyone", "f.yaml:5:15: exceptions[0].grantees: expected a list, or `any`"),
        ("{ids: [ami-01234567]}", "", "f.yaml:5:5: exceptions[0].grantees: expected a list, or `any`, found nothing"),
        (
            "{ids: [ami-01234567]}",
            "[own]",
            "f.yaml:5:16: exceptions[0].grantees[0]: an exception must name the organization itself "
            "(o-..., or o-.../ou-...)",
        ),
        (
            "{ids: [ami-01234567]}",
            "[all]",
            'f.yaml:5:16: exceptions[0].grantees[0]: write "everyone" for all of AWS, where an exception names '
            "grantees; the trust policy cannot trust it",
        ),
        (
            "{ids: [ami-01234567]}",
            "[{id: everyone}]",
            "f.yaml:5:16: exceptions[0].grantees[0]: expected everyone, an account id, an organization or a "
            "unit, found keys",
        ),
    ],
)
def test_exceptions(images: str, grantees: str, line: str) -> None:
    text = (
        "version: 1\ntrust: nobody\nexceptions:\n"
        f"  - images: {images}\n    grantees: {grantees}\n    reason: a\n    owner: b\n"
    )

    assert mistake(text) == line


def test_an_exception_without_anything() -> None:
    assert mistakes("version: 1\ntrust: nobody\nexceptions:\n  - {}\n") == [
        "f.yaml:4:5: exceptions[0].images: is missing: say which images are meant, by ids, names, tags, "
        "accounts or regions",
        "f.yaml:4:5: exceptions[0].grantees: is missing: list whom the images may be shared with, or "
        "write `grantees: any`",
        "f.yaml:4:5: exceptions[0].reason: is missing: say why this is accepted",
        "f.yaml:4:5: exceptions[0].owner: is missing: say who answers for this",
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
version: 1
trust:
  organizations: [own, !!set {a}]
  accounts:
    - 12345678901
    - {id: 123456789012, expires: soon}
    - {id: 123456789012, id: 123456789012}
targets:
  region: all
"""

    assert mistakes(text) == [
        "f.yaml:3:24: trust.organizations[1]: tags are not read here: delete tag:yaml.org,2002:set",
        "f.yaml:3:24: trust.organizations[1].id: is missing: an entry names whom it trusts",
        "f.yaml:3:31: trust.organizations[1].a: unknown key; known here: expires, id, name, reason",
        "f.yaml:5:7: trust.accounts[0]: an account id has 12 digits, this has 11",
        "f.yaml:6:35: trust.accounts[1].expires: expected a day, YYYY-MM-DD",
        "f.yaml:7:26: trust.accounts[2].id: this key stands already in line 7: keep one of them",
        "f.yaml:9:3: targets.region: unknown key, did you mean `regions`?",
    ]


def test_no_more_than_fifty_mistakes_are_listed() -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of("version: 1\ntrust:\n  accounts: [" + "1, " * 60 + "]", Path("f.yaml"), today=date(2026, 8, 1))

    lines = caught.value.message.split("\n")
    assert (lines[0], len(lines), lines[-1]) == ("f.yaml cannot be used: 60 mistakes", 52, "... and 10 more")
