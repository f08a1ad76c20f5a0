"""Planning: from the results of an audit to a plan that takes access back from those who are not trusted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.checks import ami_block_public_access, ami_cross_account_access, ami_snapshot_cross_account
from amiguard.core.decision import Decision, Rules, Verdict, decide
from amiguard.core.edit import BlockPublicAccessEdit, in_order, launch_permission_key
from amiguard.core.errors import SettingsError
from amiguard.core.evidence import Evidence
from amiguard.core.exception import ImageSelector
from amiguard.core.grantee import Account, Everyone, Grantee, GranteeKind, Unrecognized, grantee_id, grantee_kind
from amiguard.core.image import Image
from amiguard.core.image_planning import plan_image
from amiguard.core.plan import (
    Addition,
    Audited,
    BlockPublicAccessChange,
    Change,
    ImageChange,
    LeftOut,
    Plan,
    SnapshotChange,
    Unplanned,
)
from amiguard.core.plan_words import grants_counted
from amiguard.core.remediation import why_held
from amiguard.core.result import CheckResult, Status, Target
from amiguard.core.snapshot_planning import SnapshotPlanner

_DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class PlanWishes:
    """What is wished for, beyond taking back untrusted access.

    Attributes:
        share_with: grantees to add; each must be trusted by the policy. An image's own account is passed over.
        share_with_named: ids of the images that were named: they get these additions whether they fail or not, image
            block public access is switched on in their targets only, and snapshots are decided by these images alone.
            If empty, failing images get the additions.
        only: the kinds of grantee that are removed; None for all.
        protected: images that are never changed.
        block_public_access: whether image block public access is to be switched on where it is off.
        snapshots: whether the snapshots under images are to be taken back from those who are not trusted, too.
        revoke_in_use: whether access is taken from accounts that use an image, too.

    Raises:
        SettingsError: `share_with` holds everyone, or a grant that is not understood.
    """

    share_with: tuple[Grantee, ...] = ()
    share_with_named: frozenset[str] = frozenset()
    only: frozenset[GranteeKind] | None = None
    protected: tuple[ImageSelector, ...] = ()
    block_public_access: bool = False
    snapshots: bool = False
    revoke_in_use: bool = False

    def __post_init__(self) -> None:
        """Nobody makes an image public by a plan."""
        for grantee in self.share_with:
            if isinstance(grantee, Everyone | Unrecognized):
                raise SettingsError(
                    f"images cannot be shared with {grantee_id(grantee)!r} by a plan",
                    hint="Name accounts, organizations or organizational units that the trust policy trusts.",
                )


class Planner:
    """Takes the results of an audit one by one, and keeps what the plan needs: passing images are only counted.

    What stays although it is not trusted is said as a `LeftOut`: by a hold tag or `remediation.protected_images` (the
    whole image), by the kinds in `only`, because an account uses the image by it, or because a grantee of a failing
    image is undetermined (its other grants are planned). What was not read or decided at all is said as an `Unplanned`.

    Args:
        wishes: what is wished for.
        rules_of: gives the rules of an account, its own organization included, by account id. It is asked only while
            a result of one of that account's images is noted.
    """

    def __init__(self, wishes: PlanWishes, rules_of: Callable[[str], Rules]) -> None:
        self._wishes = wishes
        self._rules_of = rules_of
        self._images = 0
        self._targets_of_images: set[Target] = set()
        self._grants = 0
        self._changes: dict[str, Change] = {}
        self._left_out: set[LeftOut] = set()
        self._unplanned: set[Unplanned] = set()
        self._refused: dict[Decision, str] = {}
        named_images = bool(wishes.share_with_named)
        self._snapshots = SnapshotPlanner(wishes.only, wishes.protected, named_images=named_images)

    def note_gaps(self) -> None:
        """The results do not speak of all images, so that a snapshot may be under others, too: none is planned."""
        self._snapshots.note_gaps()

    def note(self, result: CheckResult, evidence: Evidence | None = None) -> None:
        """Take one result of an audit, in any order; results of other checks are passed over.

        Args:
            result: of any check.
            evidence: of a result that fails, if any was asked for. It never changes a verdict: by usage, removals are
                left out; all else is only said.
        """
        if result.check_id == ami_cross_account_access.METADATA.check_id:
            self._note_image(result, evidence)
        elif result.check_id == ami_snapshot_cross_account.METADATA.check_id and self._wishes.snapshots:
            self._snapshots.note(result)
        elif result.check_id == ami_block_public_access.METADATA.check_id and self._wishes.block_public_access:
            self._note_block_public_access(result)

    def plan(
        self,
        *,
        plan_id: str,
        created_at: datetime,
        expires_at: datetime,
        tool_version: str,
        caller_arn: str,
        account_id: str,
        trust_policy_digest: str,
    ) -> Plan:
        """The plan of all results noted so far; for the arguments see `Plan`.

        Raises:
            SettingsError: a grantee of `share_with` is not trusted for an image that would get it.
        """
        if self._refused:
            raise _not_to_be_shared_with(self._refused)
        changes = [change for change in self._changes.values() if self._is_meant(change)]
        left_out, unplanned = set(self._left_out), set(self._unplanned)
        for outcome in self._snapshots.outcomes():
            match outcome:
                case SnapshotChange():
                    changes.append(outcome)
                case LeftOut():
                    left_out.add(outcome)
                case Unplanned():
                    unplanned.add(outcome)
                case _:
                    assert_never(outcome)
        return Plan(
            plan_id=plan_id,
            created_at=created_at,
            expires_at=expires_at,
            tool_version=tool_version,
            caller_arn=caller_arn,
            account_id=account_id,
            trust_policy_digest=trust_policy_digest,
            audited=Audited(self._images, self._grants),
            changes=tuple(sorted(changes, key=_place_of_change)),
            left_out=tuple(sorted(left_out, key=lambda one: (_place(one), one.reason))),
            unplanned=tuple(sorted(unplanned, key=lambda one: (_place(one), one.reason))),
        )

    def _is_meant(self, change: Change) -> bool:
        """Where images were named, image block public access is switched on only in the targets that have them."""
        if not isinstance(change, BlockPublicAccessChange) or not self._wishes.share_with_named:
            return True
        return change.edit.target in self._targets_of_images

    def _note_image(self, result: CheckResult, evidence: Evidence | None) -> None:
        image = result.image
        if image is None:
            self._snapshots.note(result)
        if result.status is Status.UNKNOWN:
            self._unplanned.add(Unplanned(result.target, image.image_id if image else None, result.message))
        if image is None or (result.status is Status.UNKNOWN and not result.decisions):
            return
        # A listing that changed while it was paged can name an image twice, and the later reading is newer.
        self._changes.pop(launch_permission_key(result.target, image.image_id), None)
        self._images += 1
        self._targets_of_images.add(result.target)
        self._grants += len(result.decisions)
        additions = self._additions(image, result)
        removed = [one for one in result.decisions if one.verdict is Verdict.UNTRUSTED and self._chosen(one)]
        if additions or removed:
            if held := why_held(image, self._wishes.protected):
                self._leave_out(image, result.target, held)
                return
            change, in_use = plan_image(
                image,
                result,
                evidence,
                self._rules_of(image.account_id).organization,
                additions=additions,
                removed=removed,
                revoke_in_use=self._wishes.revoke_in_use,
            )
            if change is not None:
                self._changes[change.edit.key] = change
            self._left_out.update(in_use)
        if result.status is Status.FAIL:
            for reason in self._why_grants_stay(result):
                self._leave_out(image, result.target, reason)

    def _chosen(self, decision: Decision) -> bool:
        return self._wishes.only is None or grantee_kind(decision.grantee) in self._wishes.only

    def _additions(self, image: Image, result: CheckResult) -> list[Addition]:
        named = self._wishes.share_with_named
        if not (image.image_id in named if named else result.status is Status.FAIL):
            return []
        present = {one.grantee for one in result.decisions}
        additions: list[Addition] = []
        for grantee in in_order(self._wishes.share_with):
            if grantee == Account(image.account_id):
                continue
            decision = decide(grantee, image, self._rules_of(image.account_id))
            if decision.verdict is not Verdict.TRUSTED:
                self._refused.setdefault(decision, image.image_id)
            elif grantee not in present:
                additions.append(Addition(grantee, decision.reason))
        if additions and image.state == _DISABLED:
            # EC2 User Guide, "Disable an Amazon EC2 AMI": a disabled AMI cannot be shared.
            self._leave_out(image, result.target, "it is disabled, and EC2 shares no disabled image: nothing is added")
            return []
        return additions

    def _why_grants_stay(self, result: CheckResult) -> Iterator[str]:
        """What stays of a failing image although it is not trusted: a reason each."""
        untrusted = [one for one in result.decisions if one.verdict is Verdict.UNTRUSTED]
        if other_kinds := [one for one in untrusted if not self._chosen(one)]:
            yield f"--only leaves {grants_counted(other_kinds, 'untrusted')}"
        if undetermined := [one for one in result.decisions if one.verdict is Verdict.UNDETERMINED]:
            why = "; ".join(dict.fromkeys(one.reason for one in undetermined))
            counted = grants_counted(undetermined, "undetermined")
            yield f"only what is untrusted is removed, which leaves {counted}: {why}"

    def _leave_out(self, image: Image, target: Target, reason: str) -> None:
        self._left_out.add(LeftOut(target, image.image_id, image.name, reason))

    def _note_block_public_access(self, result: CheckResult) -> None:
        state = result.block_public_access
        if result.status is Status.UNKNOWN or state is None:
            self._unplanned.add(Unplanned(result.target, None, result.message))
        elif result.status is Status.FAIL and state.by_declarative_policy:
            reason = "a declarative policy of the organization keeps image block public access off"
            self._left_out.add(LeftOut(result.target, None, "", reason))
        elif result.status is Status.FAIL:
            edit = BlockPublicAccessEdit(result.target, state.state, BlockPublicAccess.BLOCK_NEW_SHARING)
            self._changes[edit.key] = BlockPublicAccessChange(edit)


def decide_anew(change: ImageChange, image: Image, rules: Rules) -> str | None:
    """Whether today's rules still want a planned change.

    Args:
        change: as planned.
        image: as it is listed now: its name and tags may have come under an exception.
        rules: of the image's account, today.

    Returns:
        None if every removal is still untrusted and every addition still trusted; else who is not, and why. The words
        hold what AWS returned: neutralise them before they are shown.
    """
    expected = [(removal.grantee, Verdict.UNTRUSTED) for removal in change.removals]
    expected += [(addition.grantee, Verdict.TRUSTED) for addition in change.additions]
    for grantee, verdict in expected:
        decision = decide(grantee, image, rules)
        if decision.verdict is not verdict:
            doing = "be removed" if verdict is Verdict.UNTRUSTED else "be added"
            return f"{grantee_id(grantee)}, which was to {doing}, is {decision.verdict.value} now: {decision.reason}"
    return None


def _place_of_change(change: Change) -> tuple[str, str, int, str, str]:
    target = change.edit.target
    match change:
        case ImageChange(edit):
            return target.account_id, target.region, 0, edit.image_id, ""
        case SnapshotChange(edit):
            return target.account_id, target.region, 1, edit.snapshot_id, ""
        case BlockPublicAccessChange():
            return target.account_id, target.region, 2, "", ""
        case _:
            assert_never(change)


def _place(one: LeftOut | Unplanned) -> tuple[str, str, int, str, str]:
    """A sort key: by account and region, images by id, then snapshots by id, what is about the whole target last."""
    rank = 2 if one.image_id is None else 0 if one.snapshot_id is None else 1
    ids = (one.snapshot_id or "", one.image_id or "") if rank == 1 else (one.image_id or "", "")
    return one.target.account_id, one.target.region, rank, *ids


def _not_to_be_shared_with(refused: dict[Decision, str]) -> SettingsError:
    reasons = (
        f"{grantee_id(one.grantee)} is {one.verdict.value} for {image_id} ({one.reason})"
        for one, image_id in refused.items()
    )
    return SettingsError(
        f"images are shared with trusted grantees only, and {'; '.join(reasons)}: nothing is planned",
        hint="Add it to the trust policy (`amiguard trust add ID`, or --trust ID), or leave out its --share-with.",
    )
