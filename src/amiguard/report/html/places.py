"""By account and by region, and what was not seen."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from amiguard.core.result import ALL_REGIONS
from amiguard.report.evidence_words import bin_words
from amiguard.report.html.survey import LEVELS, Level
from amiguard.report.json_v1 import StatusV1, TargetV1
from amiguard.report.tally import Switch, Tally
from amiguard.report.verdict import number_of

_MOST_PLACES = 30
_MOST_NAMED = 12

_Style = Literal["restorable", "failed", "skipped", "fail", "unknown", "suppressed", "pass"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar that is 100 wide."""

    level: Level
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Images of one account or of one region."""

    id: str
    name: str
    total: int
    counts: tuple[tuple[Level, int], ...]
    parts: tuple[Part, ...]
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One reason or message, and all places that it is about."""

    style: _Style
    reason: str
    places: tuple[str, ...]
    more: int


def place_rows(counts: Mapping[str, Counter[Level]], names: Mapping[str, str]) -> tuple[PlaceRow, ...]:
    """One row a place, the worst first; those for which there is no room share the last."""
    worst = sorted(counts, key=lambda place: (*(-counts[place][level] for level in LEVELS), place))
    chosen = worst if len(worst) <= _MOST_PLACES + 1 else worst[:_MOST_PLACES]
    rows = [_row(place, names.get(place, ""), counts[place]) for place in chosen]
    if more := worst[len(chosen) :]:
        rest: Counter[Level] = Counter()
        for place in more:
            rest.update(counts[place])
        rows.append(_row(f"and {len(more):,} more", "", rest, rest=True))
    return tuple(rows)


def bar(counts: Mapping[Level, int]) -> tuple[Part, ...]:
    """The shares of the levels, side by side; what there is can be seen, however little."""
    total = sum(counts.values())
    widths = {level: max(100 * counts[level] / total, 1.5) for level in LEVELS if counts.get(level)}
    scale = 100 / sum(widths.values()) if widths else 1
    parts: list[Part] = []
    start = 0.0
    for level, width in widths.items():
        parts.append(Part(level, round(start, 2), round(width * scale, 2)))
        start += width * scale
    return tuple(parts)


def not_seen(targets: Iterable[TargetV1], found: Tally) -> tuple[Said, ...]:
    """Targets that failed or were skipped, by reason; failed ones first."""
    said: list[tuple[_Style, str, str, str]] = []
    for target in targets:
        if target["status"] != "audited":
            place = target["account_id"], target["region"]
            said.append((target["status"], found.target_messages.get(place, target["reason"]), *place))
    return _by_reason(said, ("failed", "skipped"))


def switches(said: Iterable[Switch]) -> tuple[Said, ...]:
    """Image block public access, by what is said of it; where it is off first."""
    order: tuple[StatusV1, ...] = ("fail", "unknown", "suppressed", "pass")
    return _by_reason(((one.status, one.message, one.account_id, one.region) for one in said), order)


def snapshot_sentence(levels: Mapping[Level, int]) -> str:
    """How images stand by the snapshots under them; empty if that was not checked."""
    if not (total := sum(levels.values())):
        return ""
    bad = levels.get("public", 0) + levels.get("fail", 0)
    unknown, accepted = levels.get("unknown", 0), levels.get("suppressed", 0)
    return (
        f"Of {number_of(total, 'image', 'images')} {bad:,} rest on a snapshot that is shared with a grantee that is "
        f"not trusted, {accepted:,} on one whose sharing is accepted, and {unknown:,} are unknown."
    )


def bin_rows(targets: Iterable[TargetV1]) -> tuple[Said, ...]:
    """What Recycle Bins hold, by what is said of them."""
    said: list[tuple[_Style, str, str, str]] = []
    for target in targets:
        read = target.get("recycle_bin")
        if read is not None and (words := bin_words(read)):
            style: _Style = "unknown" if read["status"] == "unavailable" else "restorable"
            said.append((style, words, target["account_id"], target["region"]))
    return _by_reason(said, ("restorable", "unknown"))


def _by_reason(said: Iterable[tuple[_Style, str, str, str]], order: Sequence[str]) -> tuple[Said, ...]:
    regions: defaultdict[tuple[_Style, str], defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for style, reason, account_id, region in said:
        regions[style, reason][account_id].append(region)
    groups = sorted(regions.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    return tuple(
        Said(
            style=style,
            reason=reason,
            places=tuple(f"{one}: {_regions(names)}" for one, names in list(accounts.items())[:_MOST_NAMED]),
            more=max(len(accounts) - _MOST_NAMED, 0),
        )
        for (style, reason), accounts in groups
    )


def _regions(names: Sequence[str]) -> str:
    if list(names) == [ALL_REGIONS]:
        return "all regions"
    return ", ".join(names)


def _row(place: str, name: str, counts: Counter[Level], *, rest: bool = False) -> PlaceRow:
    return PlaceRow(
        id=place,
        name=name,
        total=counts.total(),
        counts=tuple((level, counts[level]) for level in LEVELS),
        parts=bar(counts),
        rest=rest,
    )
