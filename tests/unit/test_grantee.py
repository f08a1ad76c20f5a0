import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.grantee import (
    Account,
    Everyone,
    Grantee,
    Organization,
    OrganizationalUnit,
    Unrecognized,
    grantee_id,
    grantee_kind,
    launch_permission_item,
    parse_grant,
    report_order,
)

ORGANIZATION_ARN = "arn:aws:organizations::123456789012:organization/o-abcdefghij"
UNIT_ARN = "arn:aws-us-gov:organizations::123456789012:ou/o-abcdefghij/ou-ab12-cdefghij"


@pytest.mark.parametrize(
    ("name", "value", "expected", "kind"),
    [
        ("userId", "012345678901", Account("012345678901"), "account"),
        ("group", "all", Everyone(), "everyone"),
        (
            "organizationArn",
            ORGANIZATION_ARN,
            Organization(ORGANIZATION_ARN, "o-abcdefghij", "123456789012"),
            "organization",
        ),
        (
            "organizationalUnitArn",
            UNIT_ARN,
            OrganizationalUnit(UNIT_ARN, "o-abcdefghij", "123456789012", "ou-ab12-cdefghij"),
            "organizational_unit",
        ),
        # AWS's documentation shows ids shorter than its own patterns: they are read all the same.
        (
            "organizationArn",
            "arn:aws:organizations::111122223333:organization/o-123example",
            Organization(
                "arn:aws:organizations::111122223333:organization/o-123example", "o-123example", "111122223333"
            ),
            "organization",
        ),
        ("group", "amazon", Unrecognized("group=amazon"), "unrecognized"),
        ("userId", "", Unrecognized("userId="), "unrecognized"),
        ("organizationArn", "o-abcdefghij", Unrecognized("organizationArn=o-abcdefghij"), "unrecognized"),
        (
            "organizationalUnitArn",
            "arn:aws:organizations::123456789012:root/o-abcdefghij/r-ab12",
            Unrecognized("organizationalUnitArn=arn:aws:organizations::123456789012:root/o-abcdefghij/r-ab12"),
            "unrecognized",
        ),
        ("roleArn", "arn:aws:iam::1:role/x", Unrecognized("roleArn=arn:aws:iam::1:role/x"), "unrecognized"),
    ],
)
def test_each_kind_of_grant_is_read_once_and_keeps_its_kind(
    name: str, value: str, expected: Grantee, kind: str
) -> None:
    assert parse_grant([(name, value)]) == (expected,)
    assert grantee_kind(expected) == kind


def test_a_member_that_is_not_known_cannot_hide_behind_one_that_is() -> None:
    grantees = parse_grant([("userId", "123456789012"), ("newKind", "x")])
    assert grantees == (Account("123456789012"), Unrecognized("newKind=x"))


def test_a_grant_without_members_is_not_dropped() -> None:
    assert parse_grant([]) == (Unrecognized("an empty grant"),)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=3))
def test_every_member_becomes_exactly_one_grantee(fields: list[tuple[str, str]]) -> None:
    assert len(parse_grant(fields)) == max(1, len(fields))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("UserId", "012345678901"),
        ("Group", "all"),
        ("OrganizationArn", ORGANIZATION_ARN),
        ("OrganizationalUnitArn", UNIT_ARN),
    ],
)
def test_a_grantee_is_written_as_the_item_it_was_read_from(member: str, value: str) -> None:
    (grantee,) = parse_grant([(member[0].lower() + member[1:], value)])
    assert launch_permission_item(grantee) == {member: value}


def test_what_is_not_understood_is_no_item() -> None:
    with pytest.raises(ValueError, match="not understood: 'group=some'"):
        launch_permission_item(Unrecognized("group=some"))


def test_reports_name_the_widest_grants_first() -> None:
    grantees = [
        Account("2"),
        Unrecognized("x"),
        *parse_grant([("organizationalUnitArn", UNIT_ARN)]),
        Everyone(),
        Account("1"),
    ]
    ordered = [grantee_id(grantee) for grantee in sorted(grantees, key=report_order)]
    assert ordered == ["all", UNIT_ARN, "1", "2", "x"]
