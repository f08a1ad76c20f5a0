"""What a report is made of, and what a format takes.

A format renders values of version 1, never core values: an audit that has just ended and one that was saved long ago
look the same to it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TextIO

from amiguard.core.result import Status
from amiguard.report.json_v1 import (
    SCHEMA_VERSION,
    AuditBegunV1,
    AuditV1,
    DirectoryV1,
    HeaderV1,
    NarrowedV1,
    ResultV1,
    StatusV1,
    SummaryV1,
    TargetV1,
    ToolV1,
    TrustPolicyV1,
    decode_result,
    rfc3339,
)


@dataclass(frozen=True, slots=True)
class AuditHeader:
    """What is known of an audit when it begins.

    Attributes:
        audit_id: names this run.
        caller_arn: who asked AWS.
        trust_policy_digest: from `core.decision.policy_digest`.
        tool_version: of amiguard.
        trust_policy: the policy and the exceptions in words, from `policy_v1`; None if a report is not to hold them.
    """

    audit_id: str
    started_at: datetime
    caller_arn: str
    trust_policy_digest: str
    tool_version: str
    trust_policy: TrustPolicyV1 | None = None


@dataclass(frozen=True, slots=True)
class AuditOutcome:
    """What is known of an audit only when it has ended.

    Attributes:
        complete: everything that was asked for was read and decided.
        api_calls: how often each AWS action was called.
        throttled: how often AWS asked to slow down.
        directory: the organization whose members were known, if any.
        narrowed_to: the images or tags that AWS was asked for; None for all images.
    """

    finished_at: datetime
    complete: bool
    api_calls: Mapping[str, int]
    throttled: int
    directory: DirectoryV1 | None = None
    narrowed_to: NarrowedV1 | None = None


@dataclass(frozen=True, slots=True)
class StatusFilter:
    """Which results are shown. It narrows what is shown, and never changes counts, `complete` or exit codes."""

    statuses: frozenset[str]

    @classmethod
    def of(cls, statuses: Collection[Status]) -> "StatusFilter":
        """Show these statuses only."""
        return cls(frozenset(status.value for status in statuses))

    def shows(self, status: StatusV1) -> bool:
        """Whether results of this status are shown."""
        return status in self.statuses


ALL = StatusFilter.of(tuple(Status))
"""What the JSON formats show unless told otherwise."""
NEEDS_ATTENTION = StatusFilter.of((Status.FAIL, Status.UNKNOWN))
"""What the table shows unless told otherwise."""


class ResultSource(Protocol):
    """Where the results of an audit are kept; there may be too many to hold."""

    def ordered(self, shown: StatusFilter) -> Iterator[str]:
        """Each result that is shown as one line of JSON (a `ResultV1`), by account, region, image id and check id.

        May be asked for more than once.
        """
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """All that an audit found."""

    tool: ToolV1
    audit: AuditV1
    summary: SummaryV1
    targets: Sequence[TargetV1]
    source: ResultSource

    def results(self, shown: StatusFilter) -> Iterator[ResultV1]:
        """The results that are shown, in order."""
        return map(decode_result, self.source.ordered(shown))


class Renderer(Protocol):
    """A format."""

    def __call__(self, report: Report, shown: StatusFilter, stream: TextIO) -> None:
        """Write the report; nothing of it is held back, and the stream stays open."""
        ...


def header_v1(header: AuditHeader) -> HeaderV1:
    """What every document begins with."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "amiguard", "version": header.tool_version},
        "audit": _audit_begun_v1(header),
    }


def _audit_begun_v1(header: AuditHeader) -> AuditBegunV1:
    begun: AuditBegunV1 = {
        "id": header.audit_id,
        "started_at": rfc3339(header.started_at),
        "caller_arn": header.caller_arn,
        "trust_policy_digest": header.trust_policy_digest,
    }
    if header.trust_policy is not None:
        begun["trust_policy"] = header.trust_policy
    return begun


def audit_v1(header: AuditHeader, outcome: AuditOutcome) -> AuditV1:
    """The audit as a whole, once it has ended."""
    begun = _audit_begun_v1(header)
    audit: AuditV1 = {
        "id": begun["id"],
        "started_at": begun["started_at"],
        "caller_arn": begun["caller_arn"],
        "trust_policy_digest": begun["trust_policy_digest"],
        "finished_at": rfc3339(outcome.finished_at),
        "complete": outcome.complete,
    }
    if "trust_policy" in begun:
        audit["trust_policy"] = begun["trust_policy"]
    if outcome.directory is not None:
        audit["directory"] = outcome.directory
    if outcome.narrowed_to is not None:
        audit["narrowed_to"] = outcome.narrowed_to
    return audit
