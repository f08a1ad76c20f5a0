"""The directory of an organization."""

from datetime import UTC, datetime

from amiguard.core.directory import Directory, MemberAccount, Unit

ORGANIZATION, MANAGEMENT = "o-abcdefghij", "111111111111"
READ_AT = datetime(2026, 9, 1, 12, 30, tzinfo=UTC)
OUTER, INNER = "ou-ab12-outer000", "ou-ab12-inner000"
DIRECTORY = Directory(
    ORGANIZATION,
    MANAGEMENT,
    accounts={
        MANAGEMENT: MemberAccount(MANAGEMENT, "Management", "ACTIVE"),
        "012345678901": MemberAccount("012345678901", "Zahlungen \u202e\x00", "SUSPENDED", (OUTER, INNER)),
    },
    units={OUTER: Unit(OUTER, "Workloads"), INNER: Unit(INNER, "", (OUTER,))},
    read_at=READ_AT,
)
