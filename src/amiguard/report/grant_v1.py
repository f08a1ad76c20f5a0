"""Grantees and what was decided about them, in the shapes of version 1."""

from typing import Literal, TypedDict

from amiguard.core.decision import Decision, Verdict
from amiguard.core.grantee import Grantee, GranteeKind, grantee_id, grantee_kind

DecisionV1 = Literal["trusted", "untrusted", "excepted", "undetermined"]
KindV1 = Literal["account", "everyone", "organization", "organizational_unit", "unrecognized"]


class GranteeV1(TypedDict):
    """One grantee."""

    kind: KindV1
    grantee: str


class GrantV1(GranteeV1):
    """One grantee of an image, and what was decided about it."""

    decision: DecisionV1
    reason: str


_DECISION: dict[Verdict, DecisionV1] = {
    Verdict.TRUSTED: "trusted",
    Verdict.UNTRUSTED: "untrusted",
    Verdict.EXCEPTED: "excepted",
    Verdict.UNDETERMINED: "undetermined",
}
_KIND: dict[GranteeKind, KindV1] = {
    GranteeKind.ACCOUNT: "account",
    GranteeKind.EVERYONE: "everyone",
    GranteeKind.ORGANIZATION: "organization",
    GranteeKind.ORGANIZATIONAL_UNIT: "organizational_unit",
    GranteeKind.UNRECOGNIZED: "unrecognized",
}


def grantee_v1(grantee: Grantee) -> GranteeV1:
    """Copy one grantee."""
    return {"kind": _KIND[grantee_kind(grantee)], "grantee": grantee_id(grantee)}


def grant_v1(decision: Decision) -> GrantV1:
    """Copy one grantee and what was decided about it."""
    return {
        **grantee_v1(decision.grantee),
        "decision": _DECISION[decision.verdict],
        "reason": decision.reason,
    }
