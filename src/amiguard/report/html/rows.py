"""The rows of the table of images."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from amiguard.report.evidence_facts import EvidenceFacts, about_snapshots, has_evidence
from amiguard.report.grant_v1 import DecisionV1, GrantV1
from amiguard.report.html.commands import reading_commands, removal_commands
from amiguard.report.html.evidence import Section, evidence_sections
from amiguard.report.html.survey import DECISIONS, LEVELS, Level, level_of
from amiguard.report.html.words import KINDS, cut, moment
from amiguard.report.json_v1 import ResultV1
from amiguard.report.sanitize import printable

_NAME = 120
_TAGS = 50
_GRANTEES = 100
"""What one row shows; the CSV and the JSON have all."""


@dataclass(frozen=True, slots=True)
class GranteeName:
    """A grantee as AWS names it, and as the policy or the organization does."""

    grantee: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class GrantRow:
    """The grantees of one image of which the same is decided for the same reason."""

    decision: DecisionV1
    reason: str
    grantees: tuple[GranteeName, ...]
    more: int


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image; texts are as AWS gave them, and are neutralised when they are written."""

    level: Level
    rank: int
    image_id: str
    name: str
    short_name: str
    is_cut: bool
    account_id: str
    account_name: str
    region: str
    created: str
    state: str
    message: str
    tags: tuple[str, ...]
    more_tags: int
    grants: tuple[GrantRow, ...]
    shared_with: int
    untrusted: int
    public: bool
    removal: tuple[str, ...]
    reading: tuple[str, ...]
    of_snapshots: bool
    """It is about the snapshots under the image, and not about its launch permission."""
    in_use_by: int
    """How many untrusted grantees use it."""
    evidence: tuple[Section, ...]


def image_rows(
    results: Iterable[ResultV1], accounts: Mapping[str, str], parties: Mapping[str, str]
) -> Iterator[ImageRow]:
    """Rows in the order of the results.

    Args:
        results: those about a whole target are passed over.
        accounts: names of audited accounts, by id.
        parties: names of grantees, by id.
    """
    for result in results:
        image = result["image"]
        if image is None:
            continue
        level, short_name = level_of(result), cut(image["name"], _NAME)
        grants = result["grants"]
        tags = [f"{key}={value}" for key, value in image["tags"].items()]
        yield ImageRow(
            level=level,
            rank=LEVELS.index(level),
            image_id=image["id"],
            name=image["name"],
            short_name=short_name,
            is_cut=short_name != printable(image["name"]),
            account_id=result["account_id"],
            account_name=accounts.get(result["account_id"], ""),
            region=result["region"],
            created=moment(image["creation_date"]),
            state=image["state"],
            message=result["message"],
            tags=tuple(tags[:_TAGS]),
            more_tags=len(tags[_TAGS:]),
            grants=tuple(_grant_rows(grants, parties)),
            shared_with=len(grants),
            untrusted=sum(grant["decision"] == "untrusted" for grant in grants),
            public=any(grant["kind"] == "everyone" and grant["decision"] == "untrusted" for grant in grants),
            removal=removal_commands(result),
            reading=reading_commands(result),
            of_snapshots=about_snapshots(result),
            in_use_by=len(EvidenceFacts(result).users()) if has_evidence(result) else 0,
            evidence=tuple(evidence_sections(result, parties)),
        )


def _grant_rows(grants: Iterable[GrantV1], parties: Mapping[str, str]) -> Iterator[GrantRow]:
    reasons: defaultdict[tuple[DecisionV1, str], list[GrantV1]] = defaultdict(list)
    for grant in grants:
        reasons[grant["decision"], grant["reason"]].append(grant)
    for (decision, reason), alike in sorted(reasons.items(), key=lambda item: DECISIONS.index(item[0][0])):
        yield GrantRow(
            decision=decision,
            # Core's reasons may begin with the decision: it stands beside them already.
            reason=reason.removeprefix(f"{decision}: "),
            grantees=tuple(_name(grant, parties) for grant in alike[:_GRANTEES]),
            more=len(alike[_GRANTEES:]),
        )


def _name(grant: GrantV1, parties: Mapping[str, str]) -> GranteeName:
    kind, grantee = grant["kind"], grant["grantee"]
    if kind == "everyone":
        return GranteeName("Everyone", "", "")
    return GranteeName(grantee, parties.get(grantee, ""), "" if kind == "account" else KINDS[kind])
