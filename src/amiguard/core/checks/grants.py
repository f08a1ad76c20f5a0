"""What the checks of grants have in common: who is decided, which decisions decide, and the words for them."""

from collections.abc import Iterable, Sequence

from amiguard.core.decision import Decision, Rules, Verdict, decide
from amiguard.core.grantee import Everyone, Grantee, GranteeKind, grantee_kind, report_order
from amiguard.core.image import Image, Unreadable
from amiguard.core.result import Severity

_WORST_FIRST = (Verdict.UNTRUSTED, Verdict.UNDETERMINED, Verdict.EXCEPTED)
_NOUNS = {
    GranteeKind.ACCOUNT: ("account", "accounts"),
    GranteeKind.ORGANIZATION: ("organization", "organizations"),
    GranteeKind.ORGANIZATIONAL_UNIT: ("organizational unit", "organizational units"),
    GranteeKind.UNRECOGNIZED: ("unrecognized grantee", "unrecognized grantees"),
}


def decide_each(grantees: Iterable[Grantee], image: Image, rules: Rules, *, may: str) -> tuple[Decision, ...]:
    """Decide each distinct grantee once, the widest first: AWS's order says nothing.

    Args:
        grantees: of the image, or of the snapshots under it.
        image: the one that is judged.
        rules: what decides.
        may: what the grants let them do, as `decide` takes it.
    """
    return tuple(decide(one, image, rules, may=may) for one in sorted(set(grantees), key=report_order))


def worst_of(decisions: Sequence[Decision]) -> tuple[Verdict, list[Decision]]:
    """The verdict that decides about all of them, and whom it is about; trusted, if there is nobody to decide about."""
    for verdict in _WORST_FIRST:
        if found := [one for one in decisions if one.verdict is verdict]:
            return verdict, found
    return Verdict.TRUSTED, list(decisions)


def severity_of(decisions: Iterable[Decision], ordinary: Severity) -> Severity:
    """How bad it is that these are let in: critical if everyone is."""
    public = any(isinstance(decision.grantee, Everyone) for decision in decisions)
    return Severity.CRITICAL if public else ordinary


def counted(decisions: Iterable[Decision]) -> str:
    """`everyone, 2 accounts and 1 organization`: the grantees, of which there are some, by kind, the widest first."""
    kinds = [grantee_kind(decision.grantee) for decision in decisions]
    parts = ["everyone"] if GranteeKind.EVERYONE in kinds else []
    for kind, (singular, plural) in _NOUNS.items():
        if number := kinds.count(kind):
            parts.append(f"{number} {singular if number == 1 else plural}")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def why(problem: Unreadable) -> str:
    """`HTTP 500 (what would mend it)`."""
    return problem.reason + (f" ({problem.hint})" if problem.hint else "")
