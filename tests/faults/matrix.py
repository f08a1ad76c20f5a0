"""The matrix: every fault on every call, at the first, at one in the middle, and at every such call."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from benchmarks.fake_ec2 import Denied, Fault
from tests.faults.estate import FRIEND, MEMBER, ROLE, SNAPSHOT, SWITCH, image_id, snapshot_id
from tests.faults.kinds import KINDS, Kind

_SERVICES: Final = {
    "AssumeRole": "sts",
    "DescribeKey": "kms",
    "DescribeOrganization": "organizations",
    "GetCallerIdentity": "sts",
    "GetKeyPolicy": "kms",
    "ListAccounts": "organizations",
    "ListGrants": "kms",
    "ListOrganizationalUnitsForParent": "organizations",
    "ListRoots": "organizations",
    "LookupEvents": "cloudtrail",
}
"""Whose the calls are that are not EC2's."""
TRUST: Final = ("--trust", FRIEND)


class Run(Enum):
    """The runs of the program that are struck; the value heads their part of the tables."""

    AUDIT = "audit of an organization"
    EVIDENCE = "audit with evidence"
    APPLY = "apply"
    ROLLBACK = "rollback"

    @property
    def changes(self) -> bool:
        return self in (Run.APPLY, Run.ROLLBACK)


ARGUMENTS: Final[Mapping[Run, tuple[str, ...]]] = {
    Run.AUDIT: (
        "audit", "--organization", "--role-name", ROLE, *TRUST, "--trust", "own", "--check", SNAPSHOT,
        "--check", SWITCH, "--format", "json", "--deadline", "10m",
    ),
    Run.EVIDENCE: (
        "audit", *TRUST, "--trust", MEMBER, "--evidence", "all", "--evidence-deadline", "5m", "--format", "json",
        "--deadline", "10m",
    ),
    Run.APPLY: ("apply", "plan.json", *TRUST, "--trust", MEMBER, "--yes", "--force", "--journal", "apply.journal",
        "--deadline", "10m"),
    Run.ROLLBACK: ("rollback", "done.journal", "--yes", "--journal", "rollback.journal", "--deadline", "10m"),
}  # fmt: skip
CALLS: Final[Mapping[Run, tuple[str, ...]]] = {
    Run.AUDIT: (
        "GetCallerIdentity",
        "DescribeOrganization",
        "ListAccounts",
        "ListRoots",
        "ListOrganizationalUnitsForParent",
        "AssumeRole",
        "DescribeRegions",
        "DescribeImages",
        "DescribeImageAttribute",
        "GetImageBlockPublicAccessState",
        "DescribeSnapshotAttribute",
    ),
    Run.EVIDENCE: (
        "CreateImageUsageReport",
        "DescribeImageUsageReports",
        "DescribeImageUsageReportEntries",
        "LookupEvents",
        "DescribeSnapshotAttribute",
        "DescribeSnapshots",
        "DescribeKey",
        "GetKeyPolicy",
        "ListGrants",
        "ListImagesInRecycleBin",
    ),
    Run.APPLY: (
        "GetCallerIdentity",
        "DescribeImages",
        "DescribeImageAttribute",
        "DescribeSnapshotAttribute",
        "GetImageBlockPublicAccessState",
        "ModifyImageAttribute",
        "ModifySnapshotAttribute",
        "EnableImageBlockPublicAccess",
    ),
    Run.ROLLBACK: ("DescribeImageAttribute", "ModifyImageAttribute", "DisableImageBlockPublicAccess"),
}


class At(Enum):
    """Which of the calls are struck."""

    FIRST = "first"
    MIDDLE = "middle"
    EVERY = "every"


_VERIFIED: Final = {"DescribeImageAttribute": image_id(4), "DescribeSnapshotAttribute": snapshot_id(4)}
"""Of what the reading is struck, by the middle of a run that changes something, that verifies its change."""


@dataclass(frozen=True)
class Cell:
    """One run of the program with one fault."""

    run: Run
    call: str
    kind: Kind
    at: At

    @property
    def name(self) -> str:
        return f"{self.run.name.lower()}-{self.call}-{self.kind.name}-{self.at.value}"

    def faults(self, calls: int) -> tuple[Fault, ...]:
        """The rules for the server.

        Args:
            calls: how many such calls a run without faults makes as the struck account.
        """
        effect = self.kind.effect(_SERVICES.get(self.call, "ec2"))
        verifies = _VERIFIED.get(self.call) if self.run.changes and self.at is At.MIDDLE else None
        if verifies is not None:
            calls = 2  # what is read before a change, and after it: otherwise it would be by chance which of the two
        struck = Fault(
            effect,
            action=self.call,
            names=verifies,
            account_id=self.kind.account_id if self.kind.by_role or self.at is not At.EVERY else None,
            skip=calls // 2 if self.at is At.MIDDLE else 0,
            times=None if self.at is At.EVERY else self.kind.burst,
        )
        silent = () if self.kind.decodable else (Fault(Denied(), action="DecodeAuthorizationMessage"),)
        return (struck, *silent)


_ONCE: Final = frozenset(
    {
        (Run.AUDIT, "GetCallerIdentity"),
        (Run.AUDIT, "DescribeOrganization"),
        (Run.AUDIT, "ListAccounts"),
        (Run.AUDIT, "ListRoots"),
        (Run.AUDIT, "AssumeRole"),
        (Run.AUDIT, "DescribeRegions"),
        (Run.EVIDENCE, "DescribeKey"),
        (Run.EVIDENCE, "GetKeyPolicy"),
        (Run.EVIDENCE, "ListGrants"),
        (Run.APPLY, "GetCallerIdentity"),
        (Run.APPLY, "EnableImageBlockPublicAccess"),
        (Run.ROLLBACK, "DisableImageBlockPublicAccess"),
    }
)
"""The calls that a run makes once as the account that it begins in."""


def is_made_once(run: Run, call: str) -> bool:
    """Whether a run without faults makes a call once: the first is the one in the middle."""
    return (run, call) in _ONCE


def places(run: Run, call: str, kind: Kind) -> tuple[At, ...]:
    """At which of the calls a fault is tried."""
    if not kind.comes_on(call) or (kind.by_role and run is not Run.AUDIT):
        return ()
    return (At.FIRST, At.EVERY) if is_made_once(run, call) or kind.by_role else tuple(At)


def cells(*runs: Run) -> Iterator[Cell]:
    """Every cell of these runs, or of all."""
    for run in runs or Run:
        for call in CALLS[run]:
            for kind in KINDS:
                yield from (Cell(run, call, kind, at) for at in places(run, call, kind))


def daily(share: int) -> list[Cell]:
    """Those that are walked each time, and not only by `make faults`: of every call and every kind some."""
    kinds, ats = list(KINDS), list(At)
    calls = [(run, call) for run in Run for call in CALLS[run]]
    chosen = [
        cell
        for cell in cells()
        if (calls.index((cell.run, cell.call)) + 7 * (kinds.index(cell.kind) + ats.index(cell.at))) % share == 0
    ]
    among = {cell.kind.name for cell in chosen}
    # Kinds that come on a few calls only may be between the steps.
    return chosen + [next(cell for cell in cells() if cell.kind is kind) for kind in kinds if kind.name not in among]
