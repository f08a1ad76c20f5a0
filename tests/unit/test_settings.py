"""Valid settings files: what they come to in core's types, and what they are warned of."""

from datetime import date
from pathlib import Path

import pytest

from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector, TagSelector
from amiguard.core.grantee import Everyone
from amiguard.core.scope import Scope
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, TrustEntry, TrustPolicy
from amiguard.files.settings import load_settings, settings_of
from amiguard.files.settings_record import Settings
from amiguard.files.trust_starter import STARTER

TODAY = date(2026, 8, 1)
FILE = Path("amiguard.yaml")

EVERY_KEY = """\
version: 1
trust:
  accounts:
    - "123456789012"
    - {id: "210987654321", name: Staging, reason: shared golden images, expires: 2027-01-31}
  organizations: [o-abcdefghij, own, "arn:aws:organizations::111122223333:organization/o-zzzzzzzzzz"]
  organizational_units:
    - id: o-abcdefghij/ou-ab12-cdefghij
      name: Builders
    - ou-ab12-cdefghij
exceptions:
  - images:
      ids: [ami-0123456789abcdef0, ami-01234567]
      names: ["public-*"]
      tags: [Purpose, "Purpose=public", "=public"]
      accounts: ["123456789012"]
      regions: [eu-central-1, us-gov-west-1]
    grantees: [everyone, "123456789012", o-abcdefghij, o-abcdefghij/ou-ab12-cdefghij]
    reason: marketplace image
    owner: platform@example.com
    expires: 2027-06-30
  - images: {ids: [ami-0123456789abcdef0]}
    grantees: any
    reason: demo
    owner: someone
targets:
  regions: [eu-central-1, us-east-1]
"""


def load(text: str) -> Settings:
    return settings_of(text, FILE, today=TODAY)


def trusting(section: str, rest: str = "") -> Settings:
    return load(f"version: 1\ntrust:\n{section}\n{rest}")


def test_every_key() -> None:
    assert load(EVERY_KEY) == Settings(
        policy=TrustPolicy(
            (
                TrustEntry(TrustedAccount("123456789012")),
                TrustEntry(TrustedAccount("210987654321"), "Staging", "shared golden images", date(2027, 1, 31)),
                TrustEntry(TrustedOrganization("o-abcdefghij")),
                TrustEntry(TrustedOrganization(None)),
                TrustEntry(TrustedOrganization("o-zzzzzzzzzz", "111122223333")),
                TrustEntry(TrustedUnit("o-abcdefghij", "ou-ab12-cdefghij"), "Builders"),
                TrustEntry(TrustedUnit(None, "ou-ab12-cdefghij")),
            )
        ),
        entry_places=(
            "amiguard.yaml:4:7: trust.accounts[0]",
            "amiguard.yaml:5:7: trust.accounts[1]",
            "amiguard.yaml:6:19: trust.organizations[0]",
            "amiguard.yaml:6:33: trust.organizations[1]",
            "amiguard.yaml:6:38: trust.organizations[2]",
            "amiguard.yaml:8:7: trust.organizational_units[0]",
            "amiguard.yaml:10:7: trust.organizational_units[1]",
        ),
        exceptions=(
            ImageException(
                images=ImageSelector(
                    ids=("ami-0123456789abcdef0", "ami-01234567"),
                    names=("public-*",),
                    tags=(TagSelector("Purpose", None), TagSelector("Purpose", "public"), TagSelector(None, "public")),
                    accounts=("123456789012",),
                    regions=("eu-central-1", "us-gov-west-1"),
                ),
                grantees=(
                    Everyone(),
                    TrustedAccount("123456789012"),
                    TrustedOrganization("o-abcdefghij"),
                    TrustedUnit("o-abcdefghij", "ou-ab12-cdefghij"),
                ),
                reason="marketplace image",
                owner="platform@example.com",
                expires=date(2027, 6, 30),
            ),
            ImageException(ImageSelector(ids=("ami-0123456789abcdef0",)), AnyGrantee(), "demo", "someone"),
        ),
        exception_places=("amiguard.yaml:12:5: exceptions[0]", "amiguard.yaml:22:5: exceptions[1]"),
        scope=Scope(regions=("eu-central-1", "us-east-1")),
        path=FILE,
    )


@pytest.mark.parametrize("account_id", ["012345670123", "000000000000", "123456789012", "012345678901"])
@pytest.mark.parametrize("head", ["", "%YAML 1.1\n---\n", "%YAML 1.2\n---\n"])
def test_an_unquoted_account_id_stays_its_digits(head: str, account_id: str) -> None:
    settings = load(f"{head}version: 1\ntrust:\n  accounts:\n    - {account_id}\n    - id: {account_id}\n")

    assert [str(entry.trustee) for entry in settings.policy.entries] == [account_id, account_id]


@pytest.mark.parametrize("word", ["2024", "yes", "1e3", "0x10", "2027-01-31"])
def test_text_is_what_is_written(word: str) -> None:
    [entry] = trusting(f'  accounts: [{{id: "123456789012", name: {word}, reason: {word}}}]').policy.entries

    assert (entry.name, entry.reason) == (word, word)


def test_nobody() -> None:
    assert load("version: 1\ntrust: nobody\n") == Settings(TrustPolicy(), (), trusts_nobody=True, path=FILE)


@pytest.mark.parametrize(
    "text",
    [
        "version: '1'\ntrust: nobody",
        "version: 1\ntrust: 'nobody'\nexceptions:\ntargets:\n",
        "\ufeffversion: 1\r\ntrust: nobody\r\nexceptions: []\r\ntargets: {}\r\n",
        "version: 1\ntrust: &a nobody\ntargets: {regions: all}\n",
    ],
)
def test_other_ways_to_write_the_same(text: str) -> None:
    assert load(text) == load("version: 1\ntrust: nobody\n")


def test_the_ids_of_a_list_may_all_be_commented_out() -> None:
    settings = trusting("  accounts:\n  #  - '1'\n  organizations: [own]\n  organizational_units: []")

    assert settings.policy.entries == (TrustEntry(TrustedOrganization(None)),)


def test_an_alias_repeats_what_its_anchor_names() -> None:
    settings = load(
        "version: 1\ntrust: nobody\nexceptions:\n"
        "  - {images: &i {ids: [ami-01234567]}, grantees: [everyone], reason: a, owner: b}\n"
        "  - {images: *i, grantees: any, reason: a, owner: b}\n"
    )

    assert settings.exceptions[0].images == settings.exceptions[1].images


def test_the_starter_is_valid_and_nothing_in_it_is_warned_of() -> None:
    assert load(STARTER) == Settings(
        TrustPolicy((TrustEntry(TrustedOrganization(None)),)),
        ("amiguard.yaml:16:7: trust.organizations[0]",),
        path=FILE,
    )


def test_what_the_starter_shows_in_comments_is_valid_too() -> None:
    lines = STARTER.splitlines()
    examples = [
        line.replace("#", " ", 1) if line.startswith("  #  -") else line.removeprefix("# ")
        for line in lines
        if not line.startswith("#")
        or line.startswith(
            ("# exceptions:", "#   - images", "#     ", "# targets:", "#   regions:", "#   organization:")
        )
    ]

    settings = load("\n".join(examples))

    assert (len(settings.policy.entries), len(settings.exceptions), settings.regions, settings.warnings) == (
        3,
        1,
        ("eu-central-1", "us-east-1"),
        (),
    )


def test_loading_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "amiguard.yaml"
    path.write_text(EVERY_KEY, encoding="utf-8")

    assert load_settings(path, today=TODAY).policy == load(EVERY_KEY).policy


def test_dates_past_and_near_are_warned_of() -> None:
    settings = trusting(
        "  accounts:\n"
        + "".join(
            f'    - {{id: "00000000000{number}", expires: {day}}}\n'
            for number, day in enumerate(("2026-07-31", "2026-08-01", "2026-08-02", "2026-08-31", "2026-09-01"))
        ),
        "exceptions:\n  - images: {ids: [ami-01234567]}\n    grantees: any\n    reason: a\n    owner: b\n"
        "    expires: 2020-01-01\n",
    )

    assert settings.warnings == (
        "amiguard.yaml:4:37: trust.accounts[0].expires: lapsed after 2026-07-31 and decides nothing: "
        "set a later day, or delete it",
        "amiguard.yaml:5:37: trust.accounts[1].expires: today is its last day: "
        "set a later day, or get ready to do without it",
        "amiguard.yaml:6:37: trust.accounts[2].expires: lapses in 1 day: "
        "set a later day, or get ready to do without it",
        "amiguard.yaml:7:37: trust.accounts[3].expires: lapses in 30 days: "
        "set a later day, or get ready to do without it",
        "amiguard.yaml:15:14: exceptions[0].expires: lapsed after 2020-01-01 and decides nothing: "
        "set a later day, or delete it",
    )


def test_what_is_written_twice_is_warned_of() -> None:
    settings = trusting(
        '  accounts:\n    - "123456789012"\n    - {id: "123456789012"}',
        "exceptions:\n"
        "  - {images: {ids: [ami-01234567, ami-01234567]}, grantees: [everyone], reason: a, owner: b}\n"
        "  - {images: {ids: [ami-76543210]}, grantees: [everyone], reason: a, owner: b}\n"
        "  - {images: {ids: [ami-76543210]}, grantees: [everyone], reason: c, owner: d}\n"
        "targets: {regions: [eu-central-1, us-east-1, eu-central-1]}\n",
    )

    assert settings.warnings == (
        "amiguard.yaml:5:7: trust.accounts[1]: 123456789012 stands already in line 4: keep one of them",
        "amiguard.yaml:7:35: exceptions[0].images.ids[1]: stands already in line 7: keep one of them",
        "amiguard.yaml:9:5: exceptions[2]: the same images and grantees as in line 8: keep one of them",
        "amiguard.yaml:10:46: targets.regions[2]: stands already in line 10: keep one of them",
    )
    assert settings.regions == ("eu-central-1", "us-east-1")


def _warnings_of_exception(images: str, grantees: str) -> tuple[str, ...]:
    return load(
        "version: 1\ntrust: nobody\nexceptions:\n"
        f"  - images: {images}\n    grantees: {grantees}\n    reason: a\n    owner: b\n"
    ).warnings


def test_selectors_by_name_and_tag_are_warned_of() -> None:
    assert _warnings_of_exception("{names: ['public-*'], tags: [Purpose=public]}", "[everyone]") == (
        "amiguard.yaml:4:21: exceptions[0].images.names: trusts whoever may name images: "
        "prefer ids, or guard who may create images",
        "amiguard.yaml:4:41: exceptions[0].images.tags: trusts whoever may tag images: "
        "prefer ids, or guard who may tag",
    )


def test_ids_beside_names_and_tags_leave_nothing_to_warn_of() -> None:
    assert _warnings_of_exception("{ids: [ami-01234567], names: ['public-*'], tags: [a]}", "any") == ()


@pytest.mark.parametrize(
    "images",
    [
        "{accounts: ['123456789012']}",
        "{regions: [eu-central-1]}",
        "{accounts: ['123456789012'], regions: [eu-central-1]}",
    ],
)
def test_any_grantee_for_whole_accounts_or_regions_is_warned_of(images: str) -> None:
    assert _warnings_of_exception(images, "any") == (
        "amiguard.yaml:5:15: exceptions[0].grantees: accepts anyone, everyone included, for all images of whole "
        "accounts or regions: name images or grantees",
    )
    assert _warnings_of_exception(images, "[everyone]") == ()


def test_a_name_that_fits_all_names_is_no_selector() -> None:
    assert [line.split(": ")[1] for line in _warnings_of_exception("{names: [a, '**']}", "any")] == [
        "exceptions[0].images.names",
        "exceptions[0].grantees",
    ]
