"""Untrusted grantees of one image, those together of which evidence says the same."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from amiguard.report.evidence_facts import EvidenceFacts
from amiguard.report.evidence_words import grant_words
from amiguard.report.finding import cut, grantee_name
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.verdict import kind_nouns

_NAMED = 2
_NAME = 200


@dataclass(frozen=True, slots=True)
class EvidenceGroup:
    """Grantees of one image, and what is said of each of them.

    Attributes:
        words: of `grant_words`, neutralised; never empty.
        in_use: whether the image is used through each of these grants.
    """

    grants: tuple[GrantV1, ...]
    words: tuple[str, ...]
    in_use: bool


def evidence_groups(facts: EvidenceFacts) -> list[EvidenceGroup]:
    """All untrusted grantees of whom anything is known, those that use the image first."""
    alike: defaultdict[tuple[bool, tuple[str, ...]], list[GrantV1]] = defaultdict(list)
    for grant in facts.by_use():
        alike[bool(facts.used_by(grant)), tuple(grant_words(facts, grant))].append(grant)
    return [EvidenceGroup(tuple(grants), words, in_use) for (in_use, words), grants in alike.items() if words]


def grantees_words(grants: Sequence[GrantV1]) -> str:
    """`700000000001, 700000000002 and 36 more accounts`, neutralised."""
    # "and 1 more" would save nothing.
    shown = grants if len(grants) <= _NAMED + 1 else grants[:_NAMED]
    names = ", ".join(cut(grantee_name(grant), _NAME) for grant in shown)
    more = grants[len(shown) :]
    kinds = {grant["kind"] for grant in more}
    nouns = kind_nouns(kinds.pop()) if len(kinds) == 1 else ("grantee", "grantees")
    return f"{names} and {len(more):,} more {nouns[1]}" if more else names
