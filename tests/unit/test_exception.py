import pytest

from amiguard.core.exception import (
    AnyGrantee,
    ImageException,
    ImageSelector,
    TagSelector,
    parse_accepted_grantee,
    parse_tag_selector,
)
from amiguard.core.grantee import Account, Everyone, Grantee, Unrecognized, parse_grant
from tests.fakes.images import OWNER, image

TAGGED = image(name="public-web-1", tags=(("Purpose", "public"), ("Team", "web")))


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        (ImageSelector(ids=("ami-0123456789abcdef0", "ami-other")), True),
        (ImageSelector(ids=("ami-other",)), False),
        (ImageSelector(names=("public-*",)), True),
        (ImageSelector(names=("Public-*",)), False),
        (ImageSelector(names=("public",)), False),
        (ImageSelector(tags=(TagSelector("Purpose", None),)), True),
        (ImageSelector(tags=(TagSelector("Purpose", "public"),)), True),
        (ImageSelector(tags=(TagSelector("Purpose", "web"),)), False),
        (ImageSelector(tags=(TagSelector(None, "web"),)), True),
        (ImageSelector(accounts=(OWNER,), regions=("eu-central-1",)), True),
        (ImageSelector(accounts=(OWNER,), regions=("us-east-1",)), False),
        (ImageSelector(names=("public-*",), tags=(TagSelector("Team", "db"), TagSelector("Team", "web"))), True),
        (ImageSelector(names=("private-*",), tags=(TagSelector("Team", "web"),)), False),
    ],
)
def test_keys_narrow_and_values_widen(selector: ImageSelector, *, matches: bool) -> None:
    assert selector.matches(TAGGED) is matches


def test_a_selector_that_would_accept_every_image_cannot_exist() -> None:
    with pytest.raises(ValueError, match="must name its images"):
        ImageSelector()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k", TagSelector("k", None)),
        ("k=v", TagSelector("k", "v")),
        ("=v", TagSelector(None, "v")),
        ("k=", TagSelector("k", "")),
        ("k=a=b", TagSelector("k", "a=b")),
    ],
)
def test_tag_selectors(text: str, expected: TagSelector) -> None:
    assert parse_tag_selector(text) == expected


@pytest.mark.parametrize("text", ["", "="])
def test_an_empty_tag_selector_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="key=value"):
        parse_tag_selector(text)


ORGANIZATION = parse_grant([("organizationArn", "arn:aws:organizations::123456789012:organization/o-abcdefghij")])[0]
UNIT = parse_grant([("organizationalUnitArn", "arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-ab12-cdefghij")])[
    0
]


@pytest.mark.parametrize(
    ("accepted", "grantee", "matches"),
    [
        ("everyone", Everyone(), True),
        ("everyone", Account("999988887777"), False),
        ("999988887777", Account("999988887777"), True),
        ("999988887777", Account("999988887778"), False),
        ("o-abcdefghij", ORGANIZATION, True),
        ("o-abcdefghik", ORGANIZATION, False),
        ("arn:aws:organizations::999999999999:organization/o-abcdefghij", ORGANIZATION, False),
        # An accepted organization is that grant, not the units or accounts in it.
        ("o-abcdefghij", UNIT, False),
        ("o-abcdefghij/ou-ab12-cdefghij", UNIT, True),
        ("o-abcdefghij/ou-ab12-cdefghik", UNIT, False),
        ("arn:aws:organizations::999999999999:ou/o-abcdefghij/ou-ab12-cdefghij", UNIT, False),
    ],
)
def test_an_exception_accepts_this_very_grant(accepted: str, grantee: Grantee, *, matches: bool) -> None:
    exception = ImageException(
        ImageSelector(ids=(TAGGED.image_id,)), (parse_accepted_grantee(accepted),), reason="r", owner="o"
    )
    assert exception.matches(TAGGED, grantee) is matches


def test_any_accepts_what_this_version_does_not_know() -> None:
    exception = ImageException(ImageSelector(ids=(TAGGED.image_id,)), AnyGrantee(), reason="r", owner="o")
    assert exception.matches(TAGGED, Unrecognized("x"))
    assert not exception.matches(image("ami-other"), Unrecognized("x"))


@pytest.mark.parametrize("text", ["own", "ou-ab12-cdefghij"])
def test_an_exception_names_its_organization(text: str) -> None:
    with pytest.raises(ValueError, match="must name the organization"):
        parse_accepted_grantee(text)
