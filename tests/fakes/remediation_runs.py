"""A small estate to change, and short ways to apply, roll back and check over it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import date
from typing import TypeVar

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.decision import rules_in_force
from amiguard.core.edit import (
    BlockPublicAccessEdit,
    CreateVolumePermissionEdit,
    LaunchPermissionEdit,
    PermissionEdit,
    Step,
    in_order,
)
from amiguard.core.grantee import Account, Everyone, Grantee
from amiguard.core.organization import NoOrganization
from amiguard.core.plan import Addition, BlockPublicAccessChange, Change, ImageChange, Removal, SnapshotChange
from amiguard.core.remediation import ChangeOutcome, ChangeStatus, JournaledChange, StateOf
from amiguard.core.result import Target
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee
from amiguard.remediator import RemediationOptions, apply, check_states, roll_back
from tests.fakes.images import OWNER, image
from tests.fakes.remediation import FakeJournal, FakeOpener, FakeWorld
from tests.fakes.virtual_time import run_in_virtual_time

TARGET = Target(OWNER, "eu-central-1", "aws")
ELSEWHERE = replace(TARGET, region="us-east-1")
TRUSTED, ADDED, STRANGER, OTHER = (Account(str(number) * 12) for number in (1, 2, 8, 9))
POLICY = TrustPolicy(tuple(TrustEntry(parse_trustee(one.account_id)) for one in (TRUSTED, ADDED)))
RULES = rules_in_force(POLICY, (), today=date(2026, 6, 15), organization=NoOrganization())
AMI = "ami-0123456789abcdef0"
KEY = f"{OWNER}/eu-central-1/{AMI}"
SNAP = "snap-0123456789abcdef0"
BLOCKED, UNBLOCKED = BlockPublicAccess.BLOCK_NEW_SHARING, BlockPublicAccess.UNBLOCKED
SWITCH = BlockPublicAccessChange(BlockPublicAccessEdit(TARGET, UNBLOCKED, BLOCKED))
S = ChangeStatus

_Event = TypeVar("_Event")


def edit_of(
    before: Sequence[Grantee], after: Sequence[Grantee], image_id: str = AMI, target: Target = TARGET
) -> LaunchPermissionEdit:
    return LaunchPermissionEdit(target, image_id, "golden-ubuntu", in_order(before), in_order(after))


def change_of(edit: LaunchPermissionEdit) -> ImageChange:
    added, removed = set(edit.after) - set(edit.before), set(edit.before) - set(edit.after)
    return ImageChange(
        edit,
        tuple(Addition(one, "trusted") for one in in_order(added)),
        tuple(Removal(one, "not trusted") for one in in_order(removed)),
    )


def snapshot_edit_of(
    before: Sequence[Grantee],
    after: Sequence[Grantee],
    snapshot_id: str = SNAP,
    image_ids: tuple[str, ...] = (AMI,),
    target: Target = TARGET,
) -> CreateVolumePermissionEdit:
    return CreateVolumePermissionEdit(target, snapshot_id, image_ids, in_order(before), in_order(after))


def snapshot_change_of(edit: CreateVolumePermissionEdit) -> SnapshotChange:
    removed = set(edit.before) - set(edit.after)
    return SnapshotChange(edit, tuple(Removal(one, "not trusted") for one in in_order(removed)))


def world_of(*edits: PermissionEdit, lag: float = 0.0, switch_lag: float = 0.0) -> FakeWorld:
    world = FakeWorld(lag=lambda: lag, switch_lag=lambda: switch_lag)
    for edit in edits:
        if isinstance(edit, LaunchPermissionEdit):
            world.add(image(edit.image_id, region=edit.target.region), edit.before)
        else:
            world.add_snapshot(edit.snapshot_id, edit.target, edit.before)
            for image_id in edit.image_ids:
                if image_id not in world.images:
                    world.add(image(image_id, region=edit.target.region), ())
                listed = world.images[image_id].listed
                snapshot_ids = (*listed.snapshot_ids, edit.snapshot_id)
                world.images[image_id].listed = replace(listed, snapshot_ids=snapshot_ids)
    return world


EDIT = edit_of([Everyone(), TRUSTED, STRANGER], [TRUSTED, ADDED])
CHANGE = change_of(EDIT)
ADDING, REMOVING = Step(add=(ADDED,)), Step(remove=(Everyone(), STRANGER))
MIDDLE: frozenset[Grantee] = frozenset({Everyone(), TRUSTED, STRANGER, ADDED})


def collect(events: Callable[[], AsyncGenerator[_Event]]) -> tuple[list[_Event], float]:
    async def main() -> list[_Event]:
        async with aclosing(events()) as told:
            return [event async for event in told]

    return run_in_virtual_time(main())


def run(
    world: FakeWorld,
    changes: Sequence[Change],
    journal: FakeJournal | None = None,
    opener: FakeOpener | None = None,
    options: RemediationOptions = RemediationOptions(),
    rules: object = RULES,
) -> dict[str, ChangeOutcome]:
    journal = journal or FakeJournal(world)
    opener = opener or FakeOpener(world)
    told, _ = collect(lambda: apply(changes, opener, journal, rules, options, asyncio.Event()))  # type: ignore[arg-type]
    assert len(told) == len(changes)
    assert world.violations == []
    return {outcome.edit.key: outcome for outcome in told}


def run_one(world: FakeWorld, journal: FakeJournal | None = None, *, dry_run: bool = False) -> ChangeOutcome:
    return run(world, [CHANGE], journal, options=RemediationOptions(dry_run=dry_run))[KEY]


def undo(
    world: FakeWorld,
    record: Sequence[JournaledChange],
    journal: FakeJournal | None = None,
    options: RemediationOptions = RemediationOptions(),
) -> dict[str, ChangeOutcome]:
    journal = journal or FakeJournal(world)
    told, _ = collect(lambda: roll_back(record, FakeOpener(world), journal, options, asyncio.Event()))
    assert len(told) == len(record)
    assert world.violations == []
    return {outcome.edit.key: outcome for outcome in told}


def states(world: FakeWorld, record: Sequence[JournaledChange], opener: FakeOpener | None = None) -> list[StateOf]:
    return collect(lambda: check_states(record, opener or FakeOpener(world)))[0]


def many(count: int, target: Target = TARGET) -> list[LaunchPermissionEdit]:
    return [edit_of([TRUSTED, STRANGER], [TRUSTED], f"ami-{number:03}", target) for number in range(count)]
