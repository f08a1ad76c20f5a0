"""`amiguard trust explain`: the decision, its reason and the line that decides."""

from pathlib import Path

import pytest

from tests.conftest import Run, RunAmiguard

POLICY = """\
version: 1
trust:
  accounts:
    - {id: "123456789012", name: Staging, expires: 2999-01-31}
    - {id: "210987654321", expires: 2020-01-31}
  organizations: ["arn:aws:organizations::111122223333:organization/o-abcdefghij", o-bbbbbbbbbb]
  organizational_units: [o-cccccccccc/ou-ab12-cdefghij]
exceptions:
  - images: {ids: [ami-0123456789abcdef0]}
    grantees: [everyone]
    reason: marketplace image
    owner: platform@example.com
  - images: {tags: [Purpose=public], regions: [eu-central-1]}
    grantees: [everyone, "444444444444", "arn:aws:organizations::111122223333:organization/o-dddddddddd"]
    reason: partner images
    owner: partners@example.com
"""
UNREAD = "is trusted, and its members are not known: this command asks AWS nothing"
ARN = "arn:aws:organizations::111122223333"


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(POLICY, encoding="utf-8")


def warnings() -> str:
    return (
        "amiguard: warning: amiguard.yaml:5:37: trust.accounts[1].expires: lapsed after 2020-01-31 and "
        "decides nothing: "
        "set a later day, or delete it\n"
        "amiguard: warning: amiguard.yaml:13:20: exceptions[1].images.tags: trusts whoever may tag images: "
        "prefer ids, or guard who may tag\n"
    )


def explained(run_amiguard: RunAmiguard, *arguments: str) -> str:
    run = run_amiguard("trust", "explain", *arguments)
    assert (run.code, run.err) == (0, warnings())
    return run.out


def test_a_trusted_account(run_amiguard: RunAmiguard) -> None:
    assert explained(run_amiguard, "123456789012") == (
        "123456789012 (account): trusted\n"
        "  because   trusted: account 123456789012 (Staging), until 2999-01-31\n"
        "  see       amiguard.yaml:4:7: trust.accounts[0]\n"
    )


def test_an_account_that_may_be_a_member(run_amiguard: RunAmiguard) -> None:
    assert explained(run_amiguard, "210987654321") == (
        "210987654321 (account): undetermined\n"
        f"  because   o-abcdefghij {UNREAD}; o-bbbbbbbbbb {UNREAD}; o-cccccccccc/ou-ab12-cdefghij {UNREAD}; "
        "its trust (account 210987654321) lapsed after 2020-01-31\n"
        "  see       amiguard.yaml:6:19: trust.organizations[0]\n"
        "  see       amiguard.yaml:6:84: trust.organizations[1]\n"
        "  see       amiguard.yaml:7:26: trust.organizational_units[0]\n"
    )


def test_a_lapsed_account(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(
        "version: 1\ntrust: {accounts: [{id: '210987654321', expires: 2020-01-31}]}\n", encoding="utf-8"
    )

    assert run_amiguard("trust", "explain", "210987654321").out == (
        "210987654321 (account): untrusted\n"
        "  because   not in the trust policy; its trust (account 210987654321) lapsed after 2020-01-31\n"
        "  see       amiguard.yaml:2:20: trust.accounts[0]\n"
    )


@pytest.mark.parametrize("word", ["everyone", "all"])
def test_everyone(run_amiguard: RunAmiguard, word: str) -> None:
    assert explained(run_amiguard, word) == (
        "everyone: untrusted\n"
        "  because   every AWS account may launch it\n"
        "  unless    amiguard.yaml:9:5: exceptions[0]: accepted if the image fits its ids\n"
        "  unless    amiguard.yaml:13:5: exceptions[1]: accepted if the image fits its tags, regions\n"
    )


def test_everyone_for_one_image(run_amiguard: RunAmiguard) -> None:
    assert explained(run_amiguard, "everyone", "--image", "ami-0123456789abcdef0") == (
        "everyone: excepted\n"
        "  because   accepted by platform@example.com: marketplace image\n"
        "  see       amiguard.yaml:9:5: exceptions[0]\n"
    )
    assert explained(run_amiguard, "everyone", "--image", "ami-01234567", "--image-region", "us-east-1") == (
        "everyone: untrusted\n  because   every AWS account may launch it\n"
    )
    assert explained(
        run_amiguard,
        "everyone",
        "--image-region",
        "eu-central-1",
        "--image-tag",
        "a=b",
        "--image-tag",
        "Purpose=public",
    ) == (
        "everyone: excepted\n"
        "  because   accepted by partners@example.com: partner images\n"
        "  see       amiguard.yaml:13:5: exceptions[1]\n"
    )


def test_the_account_of_the_image(run_amiguard: RunAmiguard) -> None:
    assert explained(run_amiguard, "555555555555", "--image-account", "555555555555") == (
        "555555555555 (account): trusted\n  because   the image's own account\n"
    )


@pytest.mark.parametrize(
    ("grantee", "kind", "how", "place"),
    [
        (
            f"{ARN}:organization/o-abcdefghij",
            "organization",
            "organization o-abcdefghij",
            "6:19: trust.organizations[0]",
        ),
        ("o-bbbbbbbbbb", "organization", "organization o-bbbbbbbbbb", "6:84: trust.organizations[1]"),
        (
            "o-bbbbbbbbbb/ou-zz12-cdefghij",
            "organizational unit",
            "unit of organization o-bbbbbbbbbb",
            "6:84: trust.organizations[1]",
        ),
        (
            f"{ARN}:ou/o-cccccccccc/ou-ab12-cdefghij",
            "organizational unit",
            "unit o-cccccccccc/ou-ab12-cdefghij",
            "7:26: trust.organizational_units[0]",
        ),
    ],
)
def test_organizations_and_units(run_amiguard: RunAmiguard, grantee: str, kind: str, how: str, place: str) -> None:
    assert explained(run_amiguard, grantee) == (
        f"{grantee} ({kind}): trusted\n  because   trusted: {how}\n  see       amiguard.yaml:{place}\n"
    )


def test_a_unit_whose_ancestors_are_not_read(run_amiguard: RunAmiguard) -> None:
    assert explained(run_amiguard, "o-cccccccccc/ou-zz12-cdefghij") == (
        "o-cccccccccc/ou-zz12-cdefghij (organizational unit): undetermined\n"
        "  because   unit o-cccccccccc/ou-ab12-cdefghij is trusted, and the units above this one were not read\n"
        "  see       amiguard.yaml:7:26: trust.organizational_units[0]\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("own",), "GRANTEE: an image is never shared with `own`: name the organization (o-..., or its ARN)"),
        (
            ("ou-ab12-cdefghij",),
            "GRANTEE: an image is never shared with `ou-ab12-cdefghij`: "
            "name the unit with its organization (o-.../ou-..., or ARN)",
        ),
        (
            ("o-abcdefghij",),
            "GRANTEE: the settings name this organization by ARN, and the ARN must match whole: give the ARN here too",
        ),
        (
            ("o-dddddddddd",),
            "GRANTEE: the settings name this organization by ARN, and the ARN must match whole: give the ARN here too",
        ),
        (("12345",), "GRANTEE: an account id has 12 digits, this has 5"),
        (("everyone", "--trust", "12345"), "--trust: an account id has 12 digits, this has 5"),
        (("everyone", "--image-account", "own"), "--image-account: expected a 12-digit account id"),
    ],
)
def test_what_it_cannot_explain(run_amiguard: RunAmiguard, arguments: tuple[str, ...], message: str) -> None:
    assert run_amiguard("trust", "explain", *arguments) == Run(
        2,
        "",
        "Usage: amiguard trust explain [OPTIONS] {GRANTEE}\n"
        f"Try 'amiguard trust explain -h' for help.\n\nError: Invalid value for {message}\n",
    )
