"""The investigator: failing results in, evidence out, while the audit that finds them goes on.

Nothing of the audit waits for it. Each kind of evidence has its own queue in each target, so that a slow kind (usage
reports take EC2 minutes, CloudTrail answers twice a second) holds up no other one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from amiguard.core.decision import Rules, Verdict, decide
from amiguard.core.evidence import (
    Admission,
    Author,
    Evidence,
    EvidenceKind,
    ImageKey,
    KeyAdmission,
    Keys,
    RecycleBin,
    SnapshotSharing,
    Usage,
)
from amiguard.core.evidence_ports import EvidenceOpener, EvidenceReader, OpenedEvidence
from amiguard.core.grantee import report_order
from amiguard.core.image import Image, Unreadable
from amiguard.core.key_policy import KeyFacts, KeyJudge
from amiguard.core.organization import OrganizationView
from amiguard.core.result import ALL_REGIONS, CheckResult, Status, Target, TargetReport, TargetStatus
from amiguard.core.snapshot import SnapshotPermission

_LOG = logging.getLogger("amiguard.audit")
_AT_ONCE = {
    EvidenceKind.USAGE: 2000,
    EvidenceKind.AUTHOR: 8,
    EvidenceKind.SNAPSHOTS: 32,
    EvidenceKind.KEYS: 1000,
}
"""Images of one target about which a kind is asked at once.

Those of keys are many, so that what they ask about snapshots goes together in few calls. Source for usage: EC2 User
Guide, "View your AMI usage": at most 2,000 reports of an account and region are pending.
"""

_Found = Usage | Author | tuple[SnapshotSharing, ...] | Keys | Unreadable


@dataclass(frozen=True, slots=True)
class _Case:
    """One failing result, and what has been found about it."""

    result: CheckResult
    image: Image
    found: dict[EvidenceKind, _Found] = field(default_factory=dict)


class Investigator:
    """Collects evidence about failing images. Used in one event loop; `finish` ends it.

    Args:
        opener: gives the way into targets.
        kinds: what is collected.
        rules: what decides about the grantees of snapshots; each account puts its own organization into them.
        tell: takes the evidence of a result that was taken, once, as it is known.
        tell_bin: takes what is in the Recycle Bin of a target that was audited; None does not look into it.
    """

    def __init__(
        self,
        opener: EvidenceOpener,
        kinds: Collection[EvidenceKind],
        rules: Rules,
        *,
        tell: Callable[[CheckResult, Evidence], None],
        tell_bin: Callable[[RecycleBin], None] | None = None,
    ) -> None:
        self._opener = opener
        self._kinds = tuple(kind for kind in EvidenceKind if kind in kinds)
        self._rules = rules
        self._tell = tell
        self._tell_bin = tell_bin
        self._targets: dict[Target, _Target] = {}
        self._ended: set[Target] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.taken = 0
        """How many results were taken."""
        self.told = 0
        """Of how many of them the evidence was told."""

    def take(self, result: CheckResult) -> bool:
        """Begin to collect evidence about a result, if it fails and is about an image.

        Returns:
            Whether it does: then its evidence will be told.
        """
        if result.status is not Status.FAIL or result.image is None:
            return False
        self.taken += 1
        case = _Case(result, result.image)
        place = self._target(result.target)
        place.open_cases[id(case)] = case
        for kind in self._kinds:
            place.waiting[kind].append(case)
            if place.asking[kind] < _AT_ONCE[kind]:
                place.asking[kind] += 1
                self._start(self._ask_each(place, kind))
        return True

    def target_ended(self, report: TargetReport) -> None:
        """Look into the Recycle Bin of a target that was audited; no more results of it are taken."""
        target = report.target
        self._ended.add(target)
        if self._tell_bin is not None and report.status is TargetStatus.AUDITED and target.region != ALL_REGIONS:
            place = self._target(target)
            place.bin_pending = True
            self._start(self._look_into_bin(place, self._tell_bin))
        elif target in self._targets:
            self._close_if_done(self._targets[target])

    async def finish(self, seconds: float | None) -> None:
        """Wait until all evidence is told; what is not known by then is told as not to be had in time.

        Args:
            seconds: how long to wait; None for as long as it takes.
        """
        why = Unreadable("the evidence deadline passed before it was known", "give --evidence-deadline more time")
        try:
            async with asyncio.timeout(seconds):
                while self._tasks:
                    done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
                    for task in done:
                        task.result()  # a programming error must not be lost
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            why = Unreadable("it was interrupted before it was known")
            raise
        finally:
            await self.stop(why)

    async def stop(self, why: Unreadable) -> None:
        """Ask nothing more, and tell of all that is not known that it could not be had, and why."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for place in tuple(self._targets.values()):
            for case in tuple(place.open_cases.values()):
                for kind in self._kinds:
                    if kind not in case.found:
                        self._note(place, case, kind, _not_had(kind, case.image, why))
            if place.bin_pending and self._tell_bin is not None:
                self._tell_bin(RecycleBin(place.target, why))
            place.close()
        self._targets.clear()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        """A task that broke is kept: `finish` raises what it raised."""
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)

    def _target(self, target: Target) -> "_Target":
        if target not in self._targets:
            self._targets[target] = _Target(target, self._opener)
        return self._targets[target]

    async def _ask_each(self, place: "_Target", kind: EvidenceKind) -> None:
        """Ask for one kind of evidence about the cases of a target until none waits."""
        try:
            while place.waiting[kind]:
                case = place.waiting[kind].popleft()
                opened = await place.opened()
                found: _Found
                if isinstance(opened, Unreadable):
                    found = _not_had(kind, case.image, opened)
                else:
                    found = await self._asked(place, kind, case, opened)
                self._note(place, case, kind, found)
        finally:
            place.asking[kind] -= 1

    async def _asked(self, place: "_Target", kind: EvidenceKind, case: _Case, opened: OpenedEvidence) -> _Found:
        try:
            return await _ask(place, kind, case, opened, self._rules)
        except Exception as error:  # noqa: BLE001 - evidence must not cost the audit its report, and says why it is not there
            target = place.target
            where = {"account": target.account_id, "region": target.region, "image": case.image.image_id}
            _LOG.info("evidence failed", exc_info=True, extra={"kind": kind.value, **where})
            why = Unreadable(
                f"a mistake in amiguard itself: {type(error).__name__}", "please report it, with what --verbose says"
            )
            return _not_had(kind, case.image, why)

    def _note(self, place: "_Target", case: _Case, kind: EvidenceKind, found: _Found) -> None:
        case.found[kind] = found
        if len(case.found) == len(self._kinds):
            del place.open_cases[id(case)]
            self.told += 1
            self._tell(case.result, _evidence(case))
            self._close_if_done(place)

    async def _look_into_bin(self, place: "_Target", tell: Callable[[RecycleBin], None]) -> None:
        opened = await place.opened()
        images = opened if isinstance(opened, Unreadable) else await opened.reader.list_recycle_bin()
        place.bin_pending = False
        tell(RecycleBin(place.target, images))
        self._close_if_done(place)

    def _close_if_done(self, place: "_Target") -> None:
        """Thousands of targets come and go in a run: what one holds is given back as soon as it is done with."""
        if place.target in self._ended and not place.open_cases and not place.bin_pending:
            self._targets.pop(place.target, None)
            place.close()


class _Target:
    """One target under investigation."""

    def __init__(self, target: Target, opener: EvidenceOpener) -> None:
        self.target = target
        self.open_cases: dict[int, _Case] = {}
        self.waiting: dict[EvidenceKind, deque[_Case]] = {kind: deque() for kind in EvidenceKind}
        self.asking = dict.fromkeys(EvidenceKind, 0)
        self.bin_pending = False
        self._judges: dict[str, KeyJudge] = {}
        self._opener = opener
        self._opening = asyncio.Lock()
        self._opened: OpenedEvidence | Unreadable | None = None

    async def opened(self) -> OpenedEvidence | Unreadable:
        """The way in, which is looked for once."""
        async with self._opening:
            if self._opened is None:
                self._opened = await self._opener.open(self.target)
            return self._opened

    def judge_of(self, key: KeyFacts, image: Image, organization: OrganizationView) -> KeyJudge:
        """Who says whom a key admits; one for all images of the target, for many have the same key."""
        if key.key_arn not in self._judges:
            self._judges[key.key_arn] = KeyJudge(
                key, owner_account=image.account_id, organization=organization, region=image.region
            )
        return self._judges[key.key_arn]

    def close(self) -> None:
        """Give back what the reader holds."""
        if isinstance(self._opened, OpenedEvidence):
            self._opened.reader.close()


async def _ask(place: _Target, kind: EvidenceKind, case: _Case, opened: OpenedEvidence, rules: Rules) -> _Found:
    reader, image = opened.reader, case.image
    match kind:
        case EvidenceKind.USAGE:
            return await reader.read_usage(image.image_id)
        case EvidenceKind.AUTHOR:
            return await reader.look_up_author(image.image_id)
        case EvidenceKind.SNAPSHOTS:
            return await _judge_snapshots(reader, case, replace(rules, organization=opened.organization))
        case EvidenceKind.KEYS:
            return await _judge_keys(place, reader, case, opened.organization)
        case _:
            assert_never(kind)


async def _judge_snapshots(reader: EvidenceReader, case: _Case, rules: Rules) -> tuple[SnapshotSharing, ...]:
    # The check of snapshots has read them already.
    read = case.result.snapshots or [await reader.read_snapshot_permission(one) for one in case.image.snapshot_ids]
    return tuple(_judge_snapshot(one, case.image, rules) for one in read)


def _judge_snapshot(snapshot: SnapshotPermission, image: Image, rules: Rules) -> SnapshotSharing:
    if isinstance(snapshot.permission, Unreadable):
        return SnapshotSharing(snapshot.snapshot_id, snapshot.permission)
    grantees = sorted(set(snapshot.permission), key=report_order)
    return SnapshotSharing(
        snapshot.snapshot_id, tuple(decide(one, image, rules, may="create volumes from it") for one in grantees)
    )


async def _judge_keys(place: _Target, reader: EvidenceReader, case: _Case, organization: OrganizationView) -> Keys:
    unencrypted: list[str] = []
    unread: list[tuple[str, Unreadable]] = []
    encrypted: dict[str, list[str]] = {}
    snapshot_ids = case.image.snapshot_ids
    encryptions = await asyncio.gather(*map(reader.read_encryption, snapshot_ids))
    for snapshot_id, encryption in zip(snapshot_ids, encryptions, strict=True):
        if isinstance(encryption, Unreadable):
            unread.append((snapshot_id, encryption))
        elif encryption.key_arn is None:
            unencrypted.append(snapshot_id)
        else:
            encrypted.setdefault(encryption.key_arn, []).append(snapshot_id)
    keys = [
        await _judge_key(place, (key_arn, tuple(snapshots)), await reader.read_key(key_arn), case, organization)
        for key_arn, snapshots in sorted(encrypted.items())
    ]
    return Keys(tuple(unencrypted), tuple(unread), tuple(keys))


async def _judge_key(
    place: _Target,
    encrypted: tuple[str, tuple[str, ...]],
    key: KeyFacts | Unreadable,
    case: _Case,
    organization: OrganizationView,
) -> ImageKey:
    key_arn, snapshot_ids = encrypted
    untrusted = [one.grantee for one in case.result.decisions if one.verdict is Verdict.UNTRUSTED]
    if isinstance(key, Unreadable):
        reason = f"the key could not be read: {key.reason}" + (f" ({key.hint})" if key.hint else "")
        unknown = tuple(KeyAdmission(one, Admission.UNDETERMINED, reason) for one in untrusted)
        return ImageKey(key_arn, snapshot_ids, "", "", unknown)
    judge = place.judge_of(key, case.image, organization)
    judged = []
    for grantee in untrusted:
        judged.append(judge.admission(grantee))
        # A key policy can be long, and grantees a thousand: the audit reads on meanwhile, and deadlines hold.
        await asyncio.sleep(0)
    return ImageKey(key_arn, snapshot_ids, key.manager, key.state, tuple(judged))


def _not_had(kind: EvidenceKind, image: Image, why: Unreadable) -> _Found:
    """What is told of a kind that could not be asked for at all."""
    if kind is EvidenceKind.SNAPSHOTS:
        return tuple(SnapshotSharing(snapshot_id, why) for snapshot_id in image.snapshot_ids)
    return why


def _evidence(case: _Case) -> Evidence:
    evidence = Evidence(last_launched=case.image.last_launched)
    for found in case.found.items():
        match found:
            case EvidenceKind.USAGE, Usage() | Unreadable() as usage:
                evidence = replace(evidence, usage=usage)
            case EvidenceKind.AUTHOR, Author() | Unreadable() as author:
                evidence = replace(evidence, author=author)
            case EvidenceKind.SNAPSHOTS, tuple() as snapshots:
                evidence = replace(evidence, snapshots=snapshots)
            case EvidenceKind.KEYS, Keys() | Unreadable() as keys:
                evidence = replace(evidence, keys=keys)
            case kind, other:
                raise TypeError(f"{kind} is not told by {other!r}")
    return evidence
