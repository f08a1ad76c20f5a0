"""What is asked of a directory."""

from datetime import UTC, datetime

from amiguard.core.directory import Directory, MemberAccount, Unit
from amiguard.core.organization import Members, OwnOrganization

DIRECTORY = Directory(
    "o-abcdefghij",
    "111111111111",
    accounts={
        "111111111111": MemberAccount("111111111111", "Management", "ACTIVE"),
        "222222222222": MemberAccount("222222222222", "Platform", "ACTIVE", ("ou-outer",)),
        "333333333333": MemberAccount("333333333333", "Payments", "SUSPENDED", ("ou-outer", "ou-inner")),
    },
    units={"ou-outer": Unit("ou-outer"), "ou-inner": Unit("ou-inner", "Inner", ("ou-outer",))},
    read_at=datetime(2026, 9, 1, tzinfo=UTC),
)


def test_what_trust_takes_of_it() -> None:
    assert DIRECTORY.as_own == OwnOrganization(
        "o-abcdefghij",
        "111111111111",
        Members(
            {"111111111111": (), "222222222222": ("ou-outer",), "333333333333": ("ou-outer", "ou-inner")},
            {"ou-outer": (), "ou-inner": ("ou-outer",)},
        ),
    )
