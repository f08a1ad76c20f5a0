"""What a page says of all results: counts by place and by grantee, and the results that its table holds.

One pass, in memory that grows with the number of accounts, regions and different grantees, not with that of images.
"""

import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from typing import Literal

from amiguard.report.evidence_facts import about_snapshots
from amiguard.report.grant_v1 import DecisionV1, KindV1
from amiguard.report.interface import ALL, Report, StatusFilter
from amiguard.report.json_v1 import ResultV1, decode_result
from amiguard.report.tally import Switch

Level = Literal["public", "fail", "unknown", "suppressed", "pass"]
LEVELS: tuple[Level, ...] = ("public", "fail", "unknown", "suppressed", "pass")
"""How it stands with an image, the worst first; `public` is a fail because everyone may launch it."""
DECISIONS: tuple[DecisionV1, ...] = ("untrusted", "undetermined", "excepted", "trusted")
"""The worst first."""

MOST_ROWS = 5_000
MOST_IMAGES_DRAWN = 20
_LONG = 4_096
"""A result of more characters than this is packed while it waits: one image may have a thousand grantees."""
_RANKS = {level: rank for rank, level in enumerate(LEVELS)}

Grantee = tuple[KindV1, str]
Place = tuple[str, str]
"""Account id and region."""


@dataclass(frozen=True, slots=True)
class SharedImage:
    """An image with grantees, as the picture names it."""

    account_id: str
    region: str
    image_id: str
    name: str
    level: Level


@dataclass(slots=True)
class Survey:
    """What was met.

    Attributes:
        levels: how many images stand how.
        by_account: the same, by account id.
        by_region: the same, by region.
        shared_by_place: the same for images with grantees, by place.
        grantees: how many images each grantee may launch, by decision.
        shared: the first images that have grantees, one more than can be drawn one by one.
        snapshots: how many images stand how by the snapshots under them, if that was checked.
        switches: what is said of image block public access.
        unread: how many images are unknown because their launch permission was not read.
        undecided: how many are unknown because a grantee was not decided.
        rows: how many results the table could hold.
    """

    levels: Counter[Level] = field(default_factory=Counter)
    by_account: dict[str, Counter[Level]] = field(default_factory=dict)
    by_region: dict[str, Counter[Level]] = field(default_factory=dict)
    shared_by_place: dict[Place, Counter[Level]] = field(default_factory=dict)
    grantees: dict[DecisionV1, Counter[Grantee]] = field(default_factory=dict)
    shared: list[SharedImage] = field(default_factory=list)
    snapshots: Counter[Level] = field(default_factory=Counter)
    switches: list[Switch] = field(default_factory=list)
    unread: int = 0
    undecided: int = 0
    rows: int = 0
    _worst: list[tuple[int, int, str | bytes]] = field(default_factory=list)

    def worst(self) -> Iterator[ResultV1]:
        """The results of the table: the worst first, and those that are as bad in the order of the report."""
        for _, _, line in sorted(self._worst, reverse=True):
            yield decode_result(line if isinstance(line, str) else zlib.decompress(line).decode())

    def keep(self, level: Level, line: str) -> None:
        """Hold a result for the table, unless there are enough that are worse."""
        self.rows += 1
        # A heap gives up its smallest: the mildest result, and of these the last.
        place = (-_RANKS[level], -self.rows)
        if len(self._worst) >= MOST_ROWS and place < self._worst[0][:2]:
            return
        item = (*place, line if len(line) <= _LONG else zlib.compress(line.encode(), 1))
        if len(self._worst) < MOST_ROWS:
            heappush(self._worst, item)
        else:
            heappushpop(self._worst, item)


def level_of(result: ResultV1) -> Level:
    """How it stands with the image."""
    if result["status"] == "fail":
        return "public" if result["severity"] == "critical" else "fail"
    return result["status"]


def survey(report: Report, shown: StatusFilter) -> Survey:
    """Go once through all results.

    Args:
        report: counted as a whole.
        shown: which results the table may hold.
    """
    found = Survey(grantees={decision: Counter() for decision in DECISIONS})
    for line in report.source.ordered(ALL):
        result = decode_result(line)
        if result["image"] is None:
            if (switch := Switch.of(result)) is not None:
                found.switches.append(switch)
            continue
        level = level_of(result)
        # Tiles, places and picture are about who may launch an image: each image counts there once.
        if about_snapshots(result):
            found.snapshots[level] += 1
        else:
            _count(found, result, level)
        if shown.shows(result["status"]):
            found.keep(level, line)
    return found


def _count(found: Survey, result: ResultV1, level: Level) -> None:
    image, grants, place = result["image"], result["grants"], (result["account_id"], result["region"])
    found.levels[level] += 1
    found.by_account.setdefault(place[0], Counter())[level] += 1
    found.by_region.setdefault(place[1], Counter())[level] += 1
    if level == "unknown":
        found.undecided += bool(grants)
        found.unread += not grants
    if not grants or image is None:
        return
    found.shared_by_place.setdefault(place, Counter())[level] += 1
    for grant in grants:
        found.grantees[grant["decision"]][grant["kind"], grant["grantee"]] += 1
    if len(found.shared) <= MOST_IMAGES_DRAWN:
        found.shared.append(SharedImage(*place, image["id"], image["name"], level))
