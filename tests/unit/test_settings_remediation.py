"""The settings `checks` and `remediation`: what they come to, what they are warned of, and every mistake."""

from datetime import date
from pathlib import Path

import pytest

from amiguard.core.checks.registry import ADDITIONAL
from amiguard.core.errors import SettingsError
from amiguard.core.exception import ImageSelector, TagSelector
from amiguard.core.remediation import RemediationSettings, why_held
from amiguard.core.scope import NamedRole
from amiguard.files.settings import settings_of
from amiguard.files.settings_record import Settings
from tests.fakes.images import image

HEAD = "version: 1\ntrust: nobody\n"
SWITCH = frozenset({"ami-block-public-access"})


def load(section: str) -> Settings:
    return settings_of(HEAD + section, Path("f.yaml"), today=date(2026, 8, 1))


def mistakes(section: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(section)
    return caught.value.message.split("\n")[1:]


@pytest.mark.parametrize(
    ("section", "checks"),
    [
        ("", frozenset()),
        ("checks: all", ADDITIONAL),
        ("checks: [ami-block-public-access]", SWITCH),
        ("checks: [ami-cross-account-access, ami-block-public-access]", SWITCH),
        ("checks: [ami-cross-account-access]", frozenset()),
    ],
)
def test_checks(section: str, checks: frozenset[str]) -> None:
    settings = load(section)
    assert (settings.checks, settings.warnings) == (checks, ())


def test_a_check_listed_twice_is_warned_of() -> None:
    assert load("checks: [ami-block-public-access, ami-block-public-access]").warnings == (
        "f.yaml:3:35: checks[1]: stands already in line 3: keep one of them",
    )


KNOWN = "ami-block-public-access, ami-cross-account-access, ami-snapshot-cross-account"


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("checks:", "f.yaml:3:1: checks: expected a list of checks, or `all`, found nothing"),
        ("checks: {}", "f.yaml:3:9: checks: expected a list of checks, or `all`, found keys"),
        ("checks: []", "f.yaml:3:9: checks: is empty: list at least one value"),
        ("checks: ami-block-public-access", "f.yaml:3:9: checks: expected a list of checks, or `all`"),
        ("checks: [all]", "f.yaml:3:10: checks[0]: for every check write `checks: all`, without a list"),
        (
            "checks: [ami-block-public-acces]",
            "f.yaml:3:10: checks[0]: unknown check, did you mean `ami-block-public-access`?",
        ),
        ("checks: [ebs]", f"f.yaml:3:10: checks[0]: unknown check; known: {KNOWN}"),
        ("checks: [{}]", "f.yaml:3:10: checks[0]: expected the name of a check, found keys"),
        ("check: all", "f.yaml:3:1: check: unknown key, did you mean `checks`?"),
    ],
)
def test_mistakes_in_checks(section: str, line: str) -> None:
    assert mistakes(section) == [line]


def test_every_key_of_remediation() -> None:
    settings = load(
        "remediation:\n"
        "  role_name: audit/Remediate\n"
        "  external_id: a:b/c\n"
        "  protected_images:\n"
        "    ids: [ami-01234567, ami-0123456789abcdef0]\n"
        "    names: ['golden-*', base]\n"
        "    tags: [Keep, Life=frozen, =hold]\n"
    )
    assert settings.remediation == RemediationSettings(
        NamedRole("audit/Remediate", "a:b/c"),
        (
            ImageSelector(ids=("ami-01234567", "ami-0123456789abcdef0")),
            ImageSelector(names=("golden-*", "base")),
            ImageSelector(tags=(TagSelector("Keep", None), TagSelector("Life", "frozen"), TagSelector(None, "hold"))),
        ),
    )


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("", RemediationSettings()),
        ("remediation: {role_name: R}", RemediationSettings(NamedRole("R"))),
        (
            "remediation: {protected_images: {tags: [Keep]}}",
            RemediationSettings(protected=(ImageSelector(tags=(TagSelector("Keep", None),)),)),
        ),
    ],
)
def test_parts_of_remediation(section: str, expected: RemediationSettings) -> None:
    assert load(section).remediation == expected


def test_any_key_that_fits_protects() -> None:
    protected = load(
        "remediation: {protected_images: {ids: [ami-01234567], names: ['golden-*'], tags: [Keep]}}"
    ).remediation.protected
    assert why_held(image("ami-01234567", name="other"), protected) is not None
    assert why_held(image("ami-76543210", name="golden-1"), protected) is not None
    assert why_held(image("ami-76543210", name="other", tags=(("Keep", ""),)), protected) is not None
    assert why_held(image("ami-76543210", name="other"), protected) is None


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("remediation:", "3:1: remediation: expected keys, found nothing: write them, or delete the key"),
        ("remediation: {}", "3:14: remediation: is empty: write role_name or protected_images, or delete the key"),
        ("remediation: [a]", "3:14: remediation: expected keys, found a list"),
        (
            "remediation: {external_id: a1}",
            "3:28: remediation.external_id: no role is named that could ask for it: add role_name, or delete the key",
        ),
        (
            "remediation: {role_name: R, external_id: x}",
            "3:42: remediation.external_id: an external id reads <2 to 1224 of A-Za-z0-9_+=,.@:/->",
        ),
        ("remediation: {role_name: }", "3:15: remediation.role_name: expected the name of a role, found nothing"),
        (
            "remediation: {role_name: 'arn:aws:iam::123456789012:role/R'}",
            "3:26: remediation.role_name: expected the name of a role, this is an ARN: write R",
        ),
        ("remediation: {role: R}", "3:15: remediation.role: unknown key, did you mean `role_name`?"),
        (
            "remediation: {protected_images: }",
            "3:15: remediation.protected_images: expected keys, found nothing: write them, or delete the key",
        ),
        (
            "remediation: {protected_images: {}}",
            "3:33: remediation.protected_images: protects nothing: name images by ids, names or tags",
        ),
        (
            "remediation: {protected_images: {ids: []}}",
            "3:39: remediation.protected_images.ids: is empty: list at least one value, or delete the key",
        ),
        (
            "remediation: {protected_images: {ids: [ami-1]}}",
            "3:40: remediation.protected_images.ids[0]: an image id reads ami-<8 or 17 of 0-9a-f>",
        ),
        (
            "remediation: {protected_images: {tags: ['=']}}",
            "3:41: remediation.protected_images.tags[0]: a tag selector reads key, key=value or =value",
        ),
        (
            "remediation: {protected_images: {regions: [eu-central-1]}}",
            "3:34: remediation.protected_images.regions: unknown key; known here: ids, names, tags",
        ),
    ],
)
def test_mistakes_in_remediation(section: str, line: str) -> None:
    assert mistakes(section) == [f"f.yaml:{line}"]


def test_a_role_that_is_wrong_is_the_only_mistake() -> None:
    [line] = mistakes("remediation: {role_name: /R, external_id: a1}")
    assert line == "f.yaml:3:26: remediation.role_name: write the role without a slash before it: R"


def test_what_people_decide_and_what_is_written_twice_is_warned_of() -> None:
    settings = load(
        "remediation:\n  protected_images:\n"
        "    ids: [ami-01234567, ami-01234567]\n    names: [golden]\n    tags: [Keep]\n"
    )
    assert settings.warnings == (
        "f.yaml:5:25: remediation.protected_images.ids[1]: stands already in line 5: keep one of them",
        "f.yaml:6:12: remediation.protected_images.names: whoever may name images decides which are never changed: "
        "prefer ids, or guard who may create images",
        "f.yaml:7:11: remediation.protected_images.tags: whoever may tag images decides which are never changed: "
        "prefer ids, or guard who may tag",
    )
