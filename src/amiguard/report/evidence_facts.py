"""The evidence of one result, joined to its grantees: who of them uses the image, who let them in, what a key says."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from amiguard.report.evidence_v1 import (
    AdmissionOfV1,
    AdmissionV1,
    AuthorV1,
    EvidenceV1,
    KeysV1,
    KeyV1,
    SnapshotUnavailableV1,
    TrailEventV1,
    UnavailableV1,
    UsageV1,
)
from amiguard.report.grant_v1 import GranteeV1, GrantV1, KindV1
from amiguard.report.json_v1 import ResultV1

SNAPSHOT_CHECK = "ami-snapshot-cross-account"
"""Its results are about who may use the snapshots under an image, and not about who may launch it."""

Use = Mapping[str, int]
"""How many resources there are of each type (EC2's word)."""

_WIDE: frozenset[KindV1] = frozenset({"everyone", "organization", "organizational_unit"})
# A key that does not admit decides, for EC2 must read every snapshot; what is not known comes before what is well.
_WEIGHT: dict[AdmissionV1, int] = {"does_not_admit": 0, "undetermined": 1, "admits": 2}
_Grantee = tuple[KindV1, str]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class User:
    """An account that uses an image.

    Attributes:
        certain: whether it can have come in through the grant in question only.
    """

    account_id: str
    use: Use
    certain: bool = True

    @property
    def total(self) -> int:
        """How many resources there are, of all types."""
        return sum(self.use.values())


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a key says to a grantee."""

    key: KeyV1
    says: AdmissionOfV1


class EvidenceFacts:
    """What evidence says of each grantee of a result, and of the image itself.

    Args:
        result: with or without evidence; what was not asked for, or could not be had, is None or empty here.

    Attributes:
        of_snapshots: whether the result is about the snapshots under the image, and not about who may launch it.
        snapshots_read: of how many snapshots it is known who may use them.
        snapshots_shared: how many of these an untrusted grantee may use.
    """

    def __init__(self, result: ResultV1) -> None:
        evidence: EvidenceV1 = result.get("evidence", {})
        self._grants = result["grants"]
        self.of_snapshots = about_snapshots(result)
        # Who launches the image says nothing of who uses a snapshot by itself.
        self.usage: UsageV1 | None = None if self.of_snapshots else _known(evidence.get("usage"))
        self.author: AuthorV1 | None = None if self.of_snapshots else _known(evidence.get("author"))
        self.keys: KeysV1 | None = _known(evidence.get("keys"))
        self.origin = self.author["origin"] if self.author else None
        self.last_launched = evidence.get("last_launched_time", "")
        self._wide = {_grantee(grant) for grant in self._grants if grant["kind"] in _WIDE}
        self._named = {grant["grantee"] for grant in self._grants if grant["kind"] == "account"}
        self._uses = _uses(self.usage, result["account_id"])
        self._events = _events(self.author)
        self.snapshots_read = 0
        self.snapshots_shared = 0
        self._sharing: defaultdict[_Grantee, list[str]] = defaultdict(list)
        self._only_snapshots: dict[_Grantee, GrantV1] = {}
        self._add_snapshots(result, evidence)
        self._admitted = _admitted_to_snapshots(self.keys, self._sharing) if self.of_snapshots else _admitted(self.keys)

    def used_by(self, grant: GrantV1) -> tuple[User, ...]:
        """Accounts that use the image and may come in through this grant, as far as usage tells; most use first.

        An account without a grant of its own comes in through everyone's if there is no other wide one. Whether it
        belongs to an organization or a unit is not known here, nor by which grant it came in that is gone since.
        """
        if grant["kind"] == "account":
            use = self._uses.get(grant["grantee"])
            return (User(grant["grantee"], use),) if use else ()
        if grant["kind"] not in _WIDE:
            return ()
        return tuple(self._others(certain=len(self._wide) == 1 and grant["kind"] == "everyone"))

    def unnamed(self) -> tuple[User, ...]:
        """Accounts that use the image though no grant lets them in any more; most use first."""
        return () if self._wide else tuple(self._others(certain=True))

    def shared(self, grant: GranteeV1) -> TrailEventV1 | None:
        """The newest call that added this grantee; None if no event names it."""
        return self._events.get(_grantee(grant))

    def admitted(self, grant: GranteeV1) -> Admitted | None:
        """The key that decides for this grantee; None if none was read, or none says anything about it."""
        return self._admitted.get(_grantee(grant))

    def kept_out(self) -> set[_Grantee]:
        """Grantees that a key does not admit."""
        return {one for one, found in self._admitted.items() if found.says["admission"] == "does_not_admit"}

    def snapshots(self, grant: GranteeV1) -> Sequence[str]:
        """The snapshots under the image that this grantee may use, too."""
        return self._sharing.get(_grantee(grant), ())

    def only_snapshots(self) -> list[tuple[GrantV1, Sequence[str]]]:
        """Untrusted grantees of snapshots that have no grant to launch the image, and which snapshots they may use."""
        known = {_grantee(grant) for grant in self._grants}
        return [(grant, self._sharing[one]) for one, grant in self._only_snapshots.items() if one not in known]

    @property
    def is_shared_widely(self) -> bool:
        """Whether accounts that no grant names may launch the image."""
        return bool(self._wide)

    def worst(self, limit: int) -> tuple[list[GrantV1], int]:
        """Untrusted grants, those that use the image first; and how many more there are."""
        untrusted = self.by_use()
        return untrusted[:limit], max(len(untrusted) - limit, 0)

    def by_use(self) -> list[GrantV1]:
        """Untrusted grants, those through which the image is used most first, the others in their order."""
        untrusted = [grant for grant in self._grants if grant["decision"] == "untrusted"]
        return sorted(untrusted, key=lambda grant: -sum(one.total for one in self.used_by(grant)))

    def users(self) -> list[tuple[GrantV1, tuple[User, ...]]]:
        """The untrusted grants through which somebody uses the image."""
        return [
            (grant, used_by)
            for grant in self._grants
            if grant["decision"] == "untrusted" and (used_by := self.used_by(grant))
        ]

    def _others(self, *, certain: bool) -> list[User]:
        found = [User(one, use, certain) for one, use in self._uses.items() if one not in self._named]
        return sorted(found, key=lambda user: (-user.total, user.account_id))

    def _add_snapshots(self, result: ResultV1, evidence: EvidenceV1) -> None:
        untrusted = _untrusted(result["grants"])
        for read in result.get("snapshots", ()) if self.of_snapshots else ():
            if read["status"] == "known":
                self._add(read["id"], read["grantees"], untrusted)
        for sharing in () if self.of_snapshots else evidence.get("snapshots", ()):
            if sharing["status"] == "known":
                self._add(sharing["id"], sharing["grants"], _untrusted(sharing["grants"]))
                untrusted_here = (one for one in sharing["grants"] if one["decision"] == "untrusted")
                self._only_snapshots.update((_grantee(one), one) for one in untrusted_here)

    def _add(self, snapshot_id: str, grantees: Sequence[GranteeV1], untrusted: Collection[_Grantee]) -> None:
        self.snapshots_read += 1
        self.snapshots_shared += any(_grantee(grantee) in untrusted for grantee in grantees)
        for grantee in grantees:
            self._sharing[_grantee(grantee)].append(snapshot_id)


def about_snapshots(result: ResultV1) -> bool:
    """Whether a result is about the snapshots under an image, and not about its launch permission."""
    return result["check_id"] == SNAPSHOT_CHECK


def has_evidence(result: ResultV1) -> bool:
    """Whether there is more to tell of a failing result than who its grantees are."""
    return result["status"] == "fail" and ("evidence" in result or about_snapshots(result))


def unavailable(result: ResultV1) -> Iterator[tuple[str, UnavailableV1]]:
    """What could not be had of a result's evidence: the kind, and why; each reason of a kind once."""
    evidence = result.get("evidence", {})
    told: dict[tuple[str, str], UnavailableV1] = {}
    for kind, one in _missing(evidence):
        told.setdefault((kind, one["reason"]), one)
    for (kind, _), one in told.items():
        yield kind, one


def full_reason(problem: UnavailableV1) -> str:
    """Why something could not be had, and what would mend it; not neutralised."""
    hint = problem.get("hint")
    return f"{problem['reason']} ({hint})" if hint else problem["reason"]


def _missing(evidence: EvidenceV1) -> Iterator[tuple[str, UnavailableV1]]:
    usage, author, keys = evidence.get("usage"), evidence.get("author"), evidence.get("keys")
    if usage is not None and usage["status"] == "unavailable":
        yield "usage", usage
    if author is not None and author["status"] == "unavailable":
        yield "author", author
    for sharing in evidence.get("snapshots", ()):
        if sharing["status"] == "unavailable":
            yield "snapshots", sharing
    if keys is None:
        return
    unread: Sequence[UnavailableV1 | SnapshotUnavailableV1] = (
        (keys,) if keys["status"] == "unavailable" else keys["unread"]
    )
    for one in unread:
        yield "keys", one


def _known(part: _T | UnavailableV1 | None) -> _T | None:
    if part is None or part["status"] == "unavailable":  # type: ignore[index]  # every part has a status
        return None
    return part  # type: ignore[return-value]  # and the others are told by it


def _grantee(grantee: GranteeV1) -> _Grantee:
    return grantee["kind"], grantee["grantee"]


def _untrusted(grants: Iterable[GrantV1]) -> set[_Grantee]:
    return {_grantee(grant) for grant in grants if grant["decision"] == "untrusted"}


def _uses(usage: UsageV1 | None, owner: str) -> dict[str, Counter[str]]:
    uses: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in usage["entries"] if usage else ():
        if entry["count"] > 0 and entry["account_id"] != owner:
            uses[entry["account_id"]][entry["resource_type"]] += entry["count"]
    return dict(uses)


def _events(author: AuthorV1 | None) -> dict[_Grantee, TrailEventV1]:
    newest: dict[_Grantee, TrailEventV1] = {}
    for event in author["shares"] if author else ():
        for grantee in event["added"]:
            newest.setdefault(_grantee(grantee), event)
    return newest


def _admitted(keys: KeysV1 | None) -> dict[_Grantee, Admitted]:
    decisive: dict[_Grantee, Admitted] = {}
    for key in keys["keys"] if keys else ():
        for one in key["admissions"]:
            before = decisive.get(_grantee(one))
            if before is None or _WEIGHT[one["admission"]] < _WEIGHT[before.says["admission"]]:
                decisive[_grantee(one)] = Admitted(key, one)
    return decisive


def _admitted_to_snapshots(keys: KeysV1 | None, sharing: Mapping[_Grantee, Sequence[str]]) -> dict[_Grantee, Admitted]:
    """What decides for who may use snapshots by themselves: one that a key does not protect is enough to come by data.

    Of several keys the one that lets in most; nothing if a shared snapshot has no key, or none that could be read.
    """
    by_snapshot = {snapshot: key for key in (keys["keys"] if keys else ()) for snapshot in key["snapshots"]}
    decisive: dict[_Grantee, Admitted] = {}
    for grantee, snapshots in sharing.items():
        found = [_said(by_snapshot.get(one), grantee) for one in snapshots]
        known = [one for one in found if one is not None]
        if known and len(known) == len(found):
            decisive[grantee] = max(known, key=lambda one: _WEIGHT[one.says["admission"]])
    return decisive


def _said(key: KeyV1 | None, grantee: _Grantee) -> Admitted | None:
    said = (one for one in (key["admissions"] if key else ()) if _grantee(one) == grantee)
    return next((Admitted(key, one) for one in said if key), None)
