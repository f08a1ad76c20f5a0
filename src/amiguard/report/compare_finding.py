"""What a comparison of two reports keeps of a result that fails or is unknown, and how two of one image differ."""

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from amiguard.core.errors import InputError
from amiguard.report.grant_v1 import DecisionV1, KindV1
from amiguard.report.json_v1 import BlockPublicAccessV1, ResultV1, SeverityV1, StatusV1

_GRAVITY: dict[SeverityV1, int] = {"informational": 0, "medium": 1, "high": 2, "critical": 3}
_FINGERPRINT = re.compile("[0-9a-f]{64}")
_Kept = TypeVar("_Kept", bound=Hashable)


class Grantee(NamedTuple):
    """Who may launch an image, as version 1 writes it."""

    kind: KindV1
    grantee: str


class Grant(NamedTuple):
    """One grantee of an image, and what was decided about it."""

    grantee: Grantee
    decision: DecisionV1


class Switch(NamedTuple):
    """How image block public access stands."""

    state: str
    managed_by: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A result without what a comparison does not look at: reasons, tags and dates are not kept.

    Attributes:
        fingerprint: 32 bytes, SHA-256.
        image_id: None if it is about a whole target.
        image_name: empty if there is no image.
        grants: every grantee, in the order of the report.
        switch: what the check of image block public access has read.
    """

    fingerprint: bytes
    status: StatusV1
    check_id: str
    severity: SeverityV1
    account_id: str
    region: str
    image_id: str | None
    image_name: str
    grants: tuple[Grant, ...]
    message: str
    switch: Switch | None

    @property
    def untrusted(self) -> frozenset[Grantee]:
        """Who may launch it and is not trusted."""
        return untrusted_of(self.grants)


@dataclass(frozen=True, slots=True)
class Redecided:
    """A grantee that is there in both, and about which something else was decided."""

    grantee: Grantee
    before: DecisionV1
    after: DecisionV1


@dataclass(frozen=True, slots=True)
class Delta:
    """How two findings of one image (or target) differ, both of which fail.

    Attributes:
        came: grants that are there now only.
        went: grants that were there before only.
        redecided: grants that are there in both, with another decision.
        severity: before and after, if it is another.
        switch: before and after, if it stands otherwise.
        worse: a grantee that is not trusted came, one became so, or the severity is higher.
    """

    came: tuple[Grant, ...]
    went: tuple[Grant, ...]
    redecided: tuple[Redecided, ...]
    severity: tuple[SeverityV1, SeverityV1] | None
    switch: tuple[Switch | None, Switch | None] | None
    worse: bool


class FindingReader:
    """Makes findings of the results of one or more reports; what many of them have in common is held once."""

    def __init__(self) -> None:
        self._pool: dict[Hashable, Hashable] = {}

    def read(self, result: ResultV1) -> Finding:
        """Copy one result."""
        image = result["image"]
        return Finding(
            fingerprint=fingerprint_of(result),
            status=result["status"],
            check_id=self._kept(result["check_id"]),
            severity=result["severity"],
            account_id=self._kept(result["account_id"]),
            region=self._kept(result["region"]),
            image_id=image["id"] if image else None,
            image_name=image["name"] if image else "",
            grants=tuple(
                self._kept(Grant(Grantee(self._kept(one["kind"]), self._kept(one["grantee"])), one["decision"]))
                for one in result["grants"]
            ),
            message=self._kept(result["message"]),
            switch=_switch(result.get("block_public_access")),
        )

    def _kept(self, value: _Kept) -> _Kept:
        # The values that are equal are of one type: texts, or tuples of one shape.
        return self._pool.setdefault(value, value)  # type: ignore[return-value]


def fingerprint_of(result: ResultV1) -> bytes:
    """What a result is recognised by.

    Raises:
        InputError: the fingerprint is none.
    """
    text = result["fingerprint"]
    if not _FINGERPRINT.fullmatch(text):
        raise InputError(
            f"the report cannot be compared: {text[:100]!r} is no fingerprint",
            hint="compare reports as `amiguard audit` wrote them",
        )
    return bytes.fromhex(text)


def untrusted_of(grants: tuple[Grant, ...]) -> frozenset[Grantee]:
    """The grantees that are not trusted."""
    return frozenset(one.grantee for one in grants if one.decision == "untrusted")


def is_worse(
    before: frozenset[Grantee], after: frozenset[Grantee], *, severity_before: SeverityV1, severity_after: SeverityV1
) -> bool:
    """Whether what fails became worse.

    Args:
        before: who was not trusted.
        after: who is not trusted now.
        severity_before: of the one.
        severity_after: of the other.
    """
    return not after <= before or _GRAVITY[severity_after] > _GRAVITY[severity_before]


def delta_of(before: Finding, after: Finding) -> Delta | None:
    """How two findings that fail differ; None if they do not.

    Reasons and messages are words, which another version of amiguard may choose otherwise: they do not count.
    """
    decided_before = {one.grantee: one.decision for one in before.grants}
    decided_after = {one.grantee: one.decision for one in after.grants}
    same_grants = decided_before == decided_after
    severity = None if before.severity == after.severity else (before.severity, after.severity)
    switch = None if before.switch == after.switch else (before.switch, after.switch)
    if same_grants and severity is None and switch is None:
        return None
    return Delta(
        came=tuple(one for one in after.grants if one.grantee not in decided_before),
        went=tuple(one for one in before.grants if one.grantee not in decided_after),
        redecided=tuple(
            Redecided(grantee, decided_before[grantee], decision)
            for grantee, decision in decided_after.items()
            if decided_before.get(grantee, decision) != decision
        ),
        severity=severity,
        switch=switch,
        worse=is_worse(
            before.untrusted, after.untrusted, severity_before=before.severity, severity_after=after.severity
        ),
    )


def _switch(read: BlockPublicAccessV1 | None) -> Switch | None:
    return None if read is None else Switch(read["state"], read["managed_by"])
