"""Planning for the snapshots under images: who may create volumes from them, and is not trusted.

A snapshot can be under several images, and exceptions are made for images. So a grantee is removed only if it is
untrusted for every image that has the snapshot; and if one of these is held, the snapshot is left alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from amiguard.core.decision import Decision, Verdict
from amiguard.core.edit import CreateVolumePermissionEdit, in_order
from amiguard.core.effects import effect_of
from amiguard.core.exception import ImageSelector
from amiguard.core.grantee import Account, Grantee, GranteeKind, Unrecognized, grantee_kind
from amiguard.core.image import Image, Unreadable
from amiguard.core.organization import NoOrganization
from amiguard.core.plan import LeftOut, Removal, SnapshotChange, Unplanned
from amiguard.core.plan_words import grants_counted
from amiguard.core.remediation import why_held
from amiguard.core.result import CheckResult, Status, Target
from amiguard.core.snapshot import SnapshotPermission

_NAMED_ONLY = "decided by the images that were named: others may have this snapshot, too"
_NOT_UNDERSTOOD = "it has a grant that this version does not know"
_LISTING_CUT = "not all images of the target are known, and another may have this snapshot"

SnapshotOutcome = SnapshotChange | LeftOut | Unplanned
"""What becomes of a snapshot; there may be several of one."""


@dataclass(frozen=True, slots=True)
class _Under:
    """A snapshot as one of its images has it.

    Attributes:
        held: why the image is not to be changed; None if it may be.
        decisions: of the image, by grantee.
        message: of the image's result: why a grantee was not decided.
    """

    image_id: str
    image_name: str
    held: str | None
    permission: tuple[Grantee, ...] | Unreadable
    decisions: Mapping[Grantee, Decision]
    message: str

    def decision(self, grantee: Grantee) -> Decision:
        """What was decided about a grantee of the snapshot for this image."""
        return self.decisions.get(grantee) or Decision(grantee, Verdict.UNDETERMINED, self.message)


@dataclass(frozen=True, slots=True)
class _Grants:
    """The grants of a snapshot, by what all of its images say of them; those that are right are left away.

    Attributes:
        untrusted: for every image.
        disputed: untrusted for one image and not for another: the other's decisions, by its id.
        undetermined: for an image, and untrusted for none.
    """

    untrusted: Sequence[Decision]
    disputed: Mapping[str, Sequence[Decision]]
    undetermined: Sequence[Decision]


class SnapshotPlanner:
    """Takes the results of the check `ami-snapshot-cross-account`, and keeps the snapshots that have grants.

    Args:
        only: the kinds of grantee that are removed; None for all.
        protected: images that are never changed.
        named_images: whether only the images that were named are looked at.
    """

    def __init__(
        self, only: frozenset[GranteeKind] | None, protected: tuple[ImageSelector, ...], *, named_images: bool
    ) -> None:
        self._only = only
        self._protected = protected
        self._notes = (_NAMED_ONLY,) if named_images else ()
        # By image: a listing that changed while it was paged can name an image twice, and the later reading is newer.
        self._snapshots: dict[tuple[Target, str], dict[str, _Under]] = {}
        self._cut: set[Target] = set()
        self._all_cut = False
        self._unread: set[Unplanned] = set()

    def note_gaps(self) -> None:
        """Of no target all images are noted: what is not noted may have any snapshot."""
        self._all_cut = True

    def note(self, result: CheckResult) -> None:
        """Take one result, in any order. One without image says that not all images of its target are known."""
        image = result.image
        if image is None:
            self._cut.add(result.target)
            return
        held = why_held(image, self._protected)
        decisions = {one.grantee: one for one in result.decisions}
        seen = tuple(_seen(image, result))
        if not seen and result.status is Status.UNKNOWN:
            self._unread.add(Unplanned(result.target, image.image_id, result.message))
        for one in seen:
            key = result.target, one.snapshot_id
            if one.permission == ():
                # Memory must not grow with what is not shared.
                self._snapshots.get(key, {}).pop(image.image_id, None)
                continue
            under = _Under(image.image_id, image.name, held, one.permission, decisions, result.message)
            self._snapshots.setdefault(key, {})[image.image_id] = under

    def outcomes(self) -> Iterator[SnapshotOutcome]:
        """What becomes of the snapshots that were noted, in no order; nothing of those that may stay as they are."""
        yield from self._unread
        for (target, snapshot_id), by_id in self._snapshots.items():
            if images := sorted(by_id.values(), key=lambda one: one.image_id):
                yield from self._outcomes(target, snapshot_id, images)

    def _outcomes(self, target: Target, snapshot_id: str, images: Sequence[_Under]) -> Iterator[SnapshotOutcome]:
        first = images[0]
        permission = _read_alike(images)
        if isinstance(permission, Unreadable):
            hint = f" ({permission.hint})" if permission.hint else ""
            reason = f"who may create volumes from it could not be read: {permission.reason}{hint}"
            yield Unplanned(target, first.image_id, reason, snapshot_id)
            return
        if any(isinstance(grantee, Unrecognized) for grantee in permission):
            yield Unplanned(target, first.image_id, _NOT_UNDERSTOOD, snapshot_id)
            return
        grants = _sorted_out(permission, images)
        if not (grants.untrusted or grants.disputed):
            if grants.undetermined:
                yield Unplanned(target, first.image_id, _undetermined(grants.undetermined), snapshot_id)
            return
        removed = [one for one in grants.untrusted if self._only is None or grantee_kind(one.grantee) in self._only]
        if removed:
            if held := next((image for image in images if image.held), None):
                reason = f"its image is not to be changed: {held.held}"
                yield LeftOut(target, held.image_id, held.image_name, reason, snapshot_id)
                return
            if self._all_cut or target in self._cut:
                yield Unplanned(target, first.image_id, _LISTING_CUT, snapshot_id)
                return
            yield self._change(target, snapshot_id, [image.image_id for image in images], permission, removed)
        for reason in self._why_grants_stay(grants):
            yield LeftOut(target, first.image_id, first.image_name, reason, snapshot_id)

    def _change(
        self,
        target: Target,
        snapshot_id: str,
        image_ids: Collection[str],
        permission: Collection[Grantee],
        removed: Sequence[Decision],
    ) -> SnapshotChange:
        after = in_order(set(permission) - {one.grantee for one in removed})
        wide = [grantee for grantee in after if not isinstance(grantee, Account)]
        # Snapshots are not shared with organizations, so that nobody's members matter.
        removals = (
            Removal(one.grantee, one.reason, *effect_of(one.grantee, wide, NoOrganization()), notes=self._notes)
            for one in removed
        )
        edit = CreateVolumePermissionEdit(target, snapshot_id, tuple(image_ids), in_order(permission), after)
        return SnapshotChange(edit, tuple(removals))

    def _why_grants_stay(self, grants: _Grants) -> Iterator[str]:
        for image_id, decisions in grants.disputed.items():
            for verdict in Verdict:
                if of_verdict := [one for one in decisions if one.verdict is verdict]:
                    counted = grants_counted(of_verdict, verdict.value)
                    yield f"it is under {image_id}, too, which leaves {counted}: {_reasons(of_verdict)}"
        if self._only is not None:
            others = [one for one in grants.untrusted if grantee_kind(one.grantee) not in self._only]
            if others:
                yield f"--only leaves {grants_counted(others, 'untrusted')}"
        if grants.undetermined:
            yield f"only what is untrusted is removed, which leaves {_undetermined(grants.undetermined)}"


def _seen(image: Image, result: CheckResult) -> Iterator[SnapshotPermission]:
    """The snapshots of a result; if it is unknown, those that it does not speak of were not read."""
    yield from result.snapshots
    if result.status is Status.UNKNOWN:
        told = {one.snapshot_id for one in result.snapshots}
        yield from (
            SnapshotPermission(one, Unreadable(result.message)) for one in image.snapshot_ids if one not in told
        )


def _read_alike(images: Sequence[_Under]) -> tuple[Grantee, ...] | Unreadable:
    """The grantees of a snapshot, if every image has the same ones."""
    readings: list[tuple[Grantee, ...]] = []
    for image in images:
        if isinstance(image.permission, Unreadable):
            return image.permission
        readings.append(image.permission)
    if any(set(one) != set(readings[0]) for one in readings):
        return Unreadable("it was changed while it was read")
    return readings[0]


def _sorted_out(permission: Collection[Grantee], images: Sequence[_Under]) -> _Grants:
    untrusted: list[Decision] = []
    disputed: dict[str, list[Decision]] = {}
    undetermined: list[Decision] = []
    for grantee in in_order(permission):
        decisions = [(image.image_id, image.decision(grantee)) for image in images]
        verdicts = {one.verdict for _, one in decisions}
        if verdicts == {Verdict.UNTRUSTED}:
            untrusted.append(decisions[0][1])
        elif Verdict.UNTRUSTED in verdicts:
            image_id, decision = next(one for one in decisions if one[1].verdict is not Verdict.UNTRUSTED)
            disputed.setdefault(image_id, []).append(decision)
        elif Verdict.UNDETERMINED in verdicts:
            undetermined.append(next(one for _, one in decisions if one.verdict is Verdict.UNDETERMINED))
    return _Grants(untrusted, disputed, undetermined)


def _undetermined(decisions: Sequence[Decision]) -> str:
    return f"{grants_counted(decisions, 'undetermined')}: {_reasons(decisions)}"


def _reasons(decisions: Sequence[Decision]) -> str:
    return "; ".join(dict.fromkeys(one.reason for one in decisions))
