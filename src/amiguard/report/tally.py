"""What a reader of a whole report needs and its summary does not count: one pass over what fails or is unknown."""

from dataclasses import dataclass, field
from typing import Self

from amiguard.core.result import Status
from amiguard.report.evidence_facts import EvidenceFacts, about_snapshots
from amiguard.report.evidence_tally import EvidenceTally
from amiguard.report.grant_v1 import GrantV1, KindV1
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import ImageV1, ResultV1, SeverityV1, StatusV1

_SWITCH_CHECK = "ami-block-public-access"
_POLICY = "declarative-policy"


@dataclass(frozen=True, slots=True)
class Example:
    """One image or snapshot and one of its untrusted grantees, to write commands with."""

    account_id: str
    region: str
    resource_id: str
    kind: KindV1
    grantee: str


@dataclass(frozen=True, slots=True)
class Switch:
    """What is said of image block public access in one target.

    Attributes:
        by_policy: a declarative policy of the organization holds it.
    """

    status: StatusV1
    severity: SeverityV1
    account_id: str
    region: str
    message: str
    by_policy: bool

    @classmethod
    def of(cls, result: ResultV1) -> Self | None:
        """What a result says of it; None if it says something else."""
        if result["image"] is not None or result["check_id"] != _SWITCH_CHECK:
            return None
        read = result.get("block_public_access")
        return cls(
            status=result["status"],
            severity=result["severity"],
            account_id=result["account_id"],
            region=result["region"],
            message=result["message"],
            by_policy=read is not None and read["managed_by"] == _POLICY,
        )


@dataclass(slots=True)
class Tally:
    """What was met; it grows with the number of targets and of different untrusted grantees, not with that of images.

    Attributes:
        public_images: how many fail because everyone may launch them.
        untrusted: the different untrusted grantees, by kind.
        public: the first image that everyone may launch.
        shared: the first image with another untrusted grantee.
        unread: whether a launch permission or a list of images was not read.
        denied: whether AWS said for something unread that it is not permitted.
        undetermined: the kinds of grantees that could not be decided.
        target_messages: (account, region) -> what the result says that its images could not be listed.
        switches: image block public access where it is off, or could not be read.
        switch_denied: whether AWS said for one of these that it is not permitted to read it.
        snapshots_shared: how many images fail because of snapshots under them.
        shared_snapshot: a grantee of the first of these.
        snapshot_targets: in how many targets the images, and so their snapshots, could not be listed.
        snapshots_denied: whether AWS said that it is not permitted to read who may use a snapshot.
        evidence: what was learned about what fails.
    """

    public_images: int = 0
    untrusted: dict[KindV1, set[str]] = field(default_factory=dict)
    public: Example | None = None
    shared: Example | None = None
    unread: bool = False
    denied: bool = False
    undetermined: set[KindV1] = field(default_factory=set)
    target_messages: dict[tuple[str, str], str] = field(default_factory=dict)
    switches: list[Switch] = field(default_factory=list)
    switch_denied: bool = False
    snapshots_shared: int = 0
    shared_snapshot: Example | None = None
    snapshot_targets: int = 0
    snapshots_denied: bool = False
    evidence: EvidenceTally = field(default_factory=EvidenceTally)

    @property
    def switches_off(self) -> tuple[Switch, ...]:
        """Where images can be made public."""
        return tuple(switch for switch in self.switches if switch.status == "fail")


def tally(report: Report) -> Tally:
    """Go once through what fails or is unknown, whatever is shown of it; what a baseline knows is left out."""
    found = Tally()
    for result in report.results(StatusFilter.of((Status.FAIL, Status.UNKNOWN))):
        if result.get("baseline") == "known":
            continue
        if (switch := Switch.of(result)) is not None:
            _count_switch(found, switch)
            continue
        if result["image"] is None and about_snapshots(result):
            # Why is said by the result of the check that always runs.
            found.snapshot_targets += 1
            found.unread = True
            continue
        if result["image"] is None:
            found.target_messages[result["account_id"], result["region"]] = result["message"]
            found.unread = True
            found.denied |= _says_denied(result["message"])
            continue
        found.evidence.add(result)
        if about_snapshots(result):
            _count_snapshots(found, result)
            continue
        if not result["grants"]:
            found.unread = True
            found.denied |= _says_denied(result["message"])
        for grant in result["grants"]:
            if grant["decision"] == "untrusted":
                _count_untrusted(found, result, result["image"], grant)
            elif grant["decision"] == "undetermined":
                found.undetermined.add(grant["kind"])
    return found


def _count_switch(found: Tally, switch: Switch) -> None:
    found.switches.append(switch)
    if switch.status == "unknown":
        found.unread = True
        found.switch_denied |= _says_denied(switch.message)


def _count_snapshots(found: Tally, result: ResultV1) -> None:
    if result["status"] == "fail":
        found.snapshots_shared += 1
    else:
        found.undetermined |= {grant["kind"] for grant in result["grants"] if grant["decision"] == "undetermined"}
    for snapshot in result.get("snapshots", ()):
        if snapshot["status"] == "unavailable":
            found.unread = True
            found.snapshots_denied |= _says_denied(snapshot["reason"])
    if found.shared_snapshot is None and result["status"] == "fail":
        found.shared_snapshot = _snapshot_example(result)


def _snapshot_example(result: ResultV1) -> Example | None:
    facts = EvidenceFacts(result)
    for grant in result["grants"]:
        if grant["decision"] == "untrusted" and (snapshots := facts.snapshots(grant)):
            place = result["account_id"], result["region"]
            return Example(*place, snapshots[0], grant["kind"], grant["grantee"])
    return None


def _count_untrusted(found: Tally, result: ResultV1, image: ImageV1, grant: GrantV1) -> None:
    kind, grantee = grant["kind"], grant["grantee"]
    found.untrusted.setdefault(kind, set()).add(grantee)
    if kind == "everyone":
        found.public_images += 1
        found.public = found.public or Example(result["account_id"], result["region"], image["id"], kind, grantee)
    else:
        found.shared = found.shared or Example(result["account_id"], result["region"], image["id"], kind, grantee)


def _says_denied(message: str) -> bool:
    return any(words in message for words in ("not permitted", "service control policy", "sts:AssumeRole"))


def failing(report: Report) -> int:
    """How many results fail; with a baseline, those that it does not know."""
    summary = report.summary
    return summary["baseline"]["new"] if "baseline" in summary else summary["fail"]
