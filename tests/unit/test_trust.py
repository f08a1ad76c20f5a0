import pytest

from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, Trustee, parse_trustee


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("012345678901", TrustedAccount("012345678901")),
        ("own", TrustedOrganization(None)),
        ("o-abcdefghij", TrustedOrganization("o-abcdefghij")),
        (
            "arn:aws:organizations::123456789012:organization/o-abcdefghij",
            TrustedOrganization("o-abcdefghij", "123456789012"),
        ),
        ("ou-ab12-cdefghij", TrustedUnit(None, "ou-ab12-cdefghij")),
        ("o-abcdefghij/ou-ab12-cdefghij", TrustedUnit("o-abcdefghij", "ou-ab12-cdefghij")),
        (
            "arn:aws-cn:organizations::123456789012:ou/o-abcdefghij/ou-ab12-cdefghij",
            TrustedUnit("o-abcdefghij", "ou-ab12-cdefghij", "123456789012"),
        ),
    ],
)
def test_what_a_policy_may_name(text: str, expected: Trustee) -> None:
    assert parse_trustee(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("12345678901", "an account id has 12 digits, this has 11"),
        ("1234-5678-9012", 'write the account id without separators: "123456789012"'),
        ("1234 5678 9012", 'write the account id without separators: "123456789012"'),
        (
            "arn:aws:iam::123456789012:root",
            'this ARN names neither an organization nor a unit; to trust its account, write "123456789012"',
        ),
        ("ou-ab12", "a unit id reads ou-<4 to 32 of 0-9a-z>-<8 to 32 of 0-9a-z>"),
        ("o-short", "an organization id reads o-<10 to 32 of 0-9a-z>"),
        ("o-ABCDEFGHIJ", "an organization id reads o-<10 to 32 of 0-9a-z>"),
        ("o-abcdefghij\n", "an organization id reads o-<10 to 32 of 0-9a-z>"),
    ],
)
def test_a_typing_error_is_answered_with_what_was_meant(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"\A.+\Z") as caught:
        parse_trustee(text)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "all",
        "everyone",
        "١٢٣٤٥٦٧٨٩٠١٢",
        "123456789012\n",
        " 123456789012",
        "/ou-ab12-cdefghij",
        "o-a/b/ou-ab12-cdefghij",
    ],
)
def test_nothing_else_is_trusted_by_accident(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_trustee(text)
