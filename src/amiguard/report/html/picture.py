"""The picture: grantees on the left, images on the right, and a line for each that may launch the other.

With many images the right side shows accounts and regions instead, and what finds no room is one entry a side.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from amiguard.report.evidence_facts import about_snapshots
from amiguard.report.grant_v1 import DecisionV1
from amiguard.report.html.survey import (
    DECISIONS,
    LEVELS,
    MOST_IMAGES_DRAWN,
    Grantee,
    Level,
    Place,
    SharedImage,
    Survey,
)
from amiguard.report.html.words import KINDS, LEVEL_NAMES, cut, short_grantee
from amiguard.report.interface import ALL, Report
from amiguard.report.json_v1 import decode_result
from amiguard.report.verdict import number_of

WIDTH = 1_000
_ROW = 44
_LEFT, _RIGHT = 318, 682
"""Where the lines begin and end."""
_ROOM: dict[DecisionV1, int] = {"untrusted": 8, "undetermined": 3, "excepted": 3, "trusted": 4}
_PLACES = 14
_LABEL = 35
_THICKEST, _THINNEST = 7.0, 1.5
_APART = 7
"""Between lines that join the same two entries."""
_SHORT: dict[Level, str] = {
    "public": "public",
    "fail": "untrusted",
    "unknown": "unknown",
    "suppressed": "suppressed",
    "pass": "pass",
}


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of a side.

    Attributes:
        title: everything about it, unabridged.
        style: its decision or level.
        number: images; 0 where they are not counted.
        y: of its middle.
    """

    label: str
    detail: str
    title: str
    style: DecisionV1 | Level
    number: int
    y: float


@dataclass(frozen=True, slots=True)
class Link:
    """A line: so many images of the right entry may be launched by the left one."""

    path: str
    style: DecisionV1
    width: float
    title: str
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn; heights and places are in units of the view box, which is `WIDTH` wide."""

    left: tuple[Node, ...]
    right: tuple[Node, ...]
    links: tuple[Link, ...]
    height: int
    by_image: bool
    styles: tuple[DecisionV1, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry before it has a place."""

    label: str
    detail: str
    title: str
    style: DecisionV1 | Level
    number: int


class _Grantees:
    """Which grantees have an entry of their own, and which share one."""

    def __init__(self, found: Survey, names: Mapping[str, str]) -> None:
        self._found = found
        self._names = names
        self._own: dict[Grantee, int] = {}
        self._rest: dict[DecisionV1, int] = {}
        self.entries: list[_Entry] = []
        for decision in DECISIONS:
            self._add(decision)

    def _add(self, decision: DecisionV1) -> None:
        members = [one for one in self._found.grantees[decision] if self._worst(one) == decision]
        room = _ROOM[decision]
        # "and 1 more" would save nothing.
        chosen = nsmallest(room if len(members) > room + 1 else room + 1, members, key=self._order)
        for one in chosen:
            self._own[one] = len(self.entries)
            self.entries.append(self._entry(one, decision))
        if more := len(members) - len(chosen):
            self._rest[decision] = len(self.entries)
            counts = self._found.grantees[decision]
            grants = sum(counts[one] for one in members) - sum(counts[one] for one in chosen)
            label = f"and {more:,} more"
            detail = f"{decision}, {number_of(grants, 'grant', 'grants')} together"
            self.entries.append(_Entry(label, detail, f"{label} grantees: {detail}", decision, 0))

    def index(self, grantee: Grantee) -> int:
        """The entry of a grantee."""
        own = self._own.get(grantee)
        return self._rest[self._worst(grantee)] if own is None else own

    def _worst(self, grantee: Grantee) -> DecisionV1:
        return next(decision for decision in DECISIONS if grantee in self._found.grantees[decision])

    def _order(self, grantee: Grantee) -> tuple[bool, int, Grantee]:
        return grantee[0] != "everyone", -self._images(grantee), grantee

    def _images(self, grantee: Grantee) -> int:
        return sum(counts[grantee] for counts in self._found.grantees.values())

    def _entry(self, grantee: Grantee, decision: DecisionV1) -> _Entry:
        kind, text = grantee
        images = {one: number for one in DECISIONS if (number := self._found.grantees[one][grantee])}
        first = number_of(images[decision], "image", "images")
        others = (f"{one} for {number:,}" for one, number in images.items() if one != decision)
        said = ", ".join([f"{decision} for {first}", *others])
        name = cut(self._names.get(text, "") or ("" if kind in {"account", "everyone"} else KINDS[kind]), 22)
        title = f"{text} ({self._names.get(text) or KINDS[kind]}): {said}"
        detail = f"{name} \u00b7 {said}" if name else said
        return _Entry(cut(short_grantee(kind, text), _LABEL), detail, title, decision, sum(images.values()))


class _Images:
    """The right side: images, or the places where they are."""

    def __init__(self, found: Survey, names: Mapping[str, str]) -> None:
        self.by_image = len(found.shared) <= MOST_IMAGES_DRAWN
        self.entries: list[_Entry] = []
        self._images: dict[tuple[str, str, str], int] = {}
        self._places: dict[Place, int] = {}
        if self.by_image:
            for one in sorted(found.shared, key=lambda one: LEVELS.index(one.level)):
                self._images[one.account_id, one.region, one.image_id] = len(self.entries)
                self.entries.append(_image_entry(one, names))
        else:
            self._add_places(found.shared_by_place, names)

    def _add_places(self, places: Mapping[Place, Counter[Level]], names: Mapping[str, str]) -> None:
        room = _PLACES if len(places) > _PLACES + 1 else _PLACES + 1
        chosen = nsmallest(room, places, key=lambda place: (*(-places[place][level] for level in LEVELS), place))
        for place in chosen:
            self._places[place] = len(self.entries)
            self.entries.append(_place_entry(place, places[place], names))
        if len(places) > len(chosen):
            rest: Counter[Level] = Counter()
            for place, counts in places.items():
                if place not in self._places:
                    rest.update(counts)
            label = f"and {len(places) - len(chosen):,} more places"
            self.entries.append(_Entry(label, _levels(rest), label, _worst_level(rest), rest.total()))

    def index(self, account_id: str, region: str, image_id: str) -> int:
        """The entry of an image."""
        if self.by_image:
            return self._images[account_id, region, image_id]
        return self._places.get((account_id, region), len(self.entries) - 1)


def draw(report: Report, found: Survey, accounts: Mapping[str, str], parties: Mapping[str, str]) -> Picture | None:
    """Lay the picture out; None if no image has a grantee.

    Args:
        report: goes through its results once more.
        found: from the same report.
        accounts: names of audited accounts, by id.
        parties: names of grantees, by id.
    """
    if not found.shared:
        return None
    grantees, images = _Grantees(found, parties), _Images(found, accounts)
    counts = _count_links(report, grantees, images)
    rows = max(len(grantees.entries), len(images.entries))
    left, right = _placed(grantees.entries, rows), _placed(images.entries, rows)
    drawn = {decision for _, _, decision in counts}
    return Picture(
        left=left,
        right=right,
        links=tuple(_links(counts, left, right)),
        height=rows * _ROW,
        by_image=images.by_image,
        styles=tuple(decision for decision in DECISIONS if decision in drawn),
    )


_Links = Counter[tuple[int, int, DecisionV1]]


def _count_links(report: Report, grantees: _Grantees, images: _Images) -> _Links:
    counts: _Links = Counter()
    for line in report.source.ordered(ALL):
        # Most images of an estate are shared with nobody: they need not be decoded again. No text can hold this
        # unescaped, and where another writer spaces it otherwise, decoding comes to the same.
        if '"grants":[],' in line and '"evidence":{' not in line:
            continue
        result = decode_result(line)
        image = result["image"]
        if image is None or not result["grants"] or about_snapshots(result):
            continue
        right = images.index(result["account_id"], result["region"], image["id"])
        # An entry for many grantees counts an image once.
        counts.update(
            {
                (grantees.index((grant["kind"], grant["grantee"])), right, grant["decision"])
                for grant in result["grants"]
            }
        )
    return counts


def _links(counts: _Links, left: Sequence[Node], right: Sequence[Node]) -> Iterator[Link]:
    most = max(counts.values())
    middle = (_LEFT + _RIGHT) / 2
    # The worst is drawn last: it must not be covered.
    for (start, end, decision), number in sorted(counts.items(), key=_drawn_after):
        # The worst of several between the same two entries goes through their middles.
        aside = _APART * sum((start, end, worse) in counts for worse in DECISIONS[: DECISIONS.index(decision)])
        y1, y2 = left[start].y + aside, right[end].y + aside
        yield Link(
            path=f"M{_LEFT} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {_RIGHT} {y2:g}",
            style=decision,
            width=round(_THINNEST + (_THICKEST - _THINNEST) * ((number - 1) / max(most - 1, 1)) ** 0.5, 2),
            title=f"{left[start].label} \u2192 {right[end].label}: {number_of(number, 'image', 'images')}, {decision}",
            left=start,
            right=end,
        )


def _drawn_after(item: tuple[tuple[int, int, DecisionV1], int]) -> tuple[int, int, int]:
    (start, end, decision), _ = item
    return -DECISIONS.index(decision), start, end


def _placed(entries: Sequence[_Entry], rows: int) -> tuple[Node, ...]:
    """The entries below each other, in the middle of the height."""
    top = (rows - len(entries)) * _ROW / 2
    return tuple(
        Node(
            label=one.label,
            detail=one.detail,
            title=one.title,
            style=one.style,
            number=one.number,
            y=top + (place + 0.5) * _ROW,
        )
        for place, one in enumerate(entries)
    )


def _image_entry(one: SharedImage, names: Mapping[str, str]) -> _Entry:
    account = names.get(one.account_id) or one.account_id
    title = f"{one.name} {one.image_id}, account {one.account_id}, {one.region}: {LEVEL_NAMES[one.level].lower()}"
    return _Entry(cut(one.name or one.image_id, _LABEL), cut(f"{account}, {one.region}", 44), title, one.level, 0)


def _place_entry(place: Place, counts: Counter[Level], names: Mapping[str, str]) -> _Entry:
    account_id, region = place
    label = f"{cut(names.get(account_id) or account_id, 20)}, {region}"
    title = f"{names.get(account_id, '')} {account_id}, {region}: {_levels(counts)}"
    return _Entry(cut(label, _LABEL), cut(_levels(counts), 44), title, _worst_level(counts), counts.total())


def _levels(counts: Counter[Level]) -> str:
    return ", ".join(f"{counts[level]:,} {_SHORT[level]}" for level in LEVELS if counts[level])


def _worst_level(counts: Counter[Level]) -> Level:
    return next(level for level in LEVELS if counts[level])
