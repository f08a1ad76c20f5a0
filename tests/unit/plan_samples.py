"""Plans that are shown."""

from dataclasses import replace
from datetime import UTC, datetime

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import (
    BlockPublicAccessEdit,
    CreateVolumePermissionEdit,
    LaunchPermissionEdit,
    in_order,
)
from amiguard.core.grantee import Everyone, Grantee
from amiguard.core.plan import (
    Addition,
    Audited,
    BlockPublicAccessChange,
    Change,
    Effect,
    ImageChange,
    LeftOut,
    Plan,
    Removal,
    SnapshotChange,
    Unplanned,
)
from amiguard.core.result import ALL_REGIONS, Target
from tests.unit.report_samples import (
    FOREIGN_ORGANIZATION,
    FRANKFURT,
    HOSTILE,
    IRELAND,
    PARTNER,
    STAGING,
    STRANGER,
    UNIT,
)

NOT_TRUSTED = "not in the trust policy"


def change(
    target: Target, number: int, name: str, removals: list[Removal], additions: list[Addition], *stay: Grantee
) -> ImageChange:
    before = in_order([*(one.grantee for one in removals), *stay])
    after = in_order([*(one.grantee for one in additions), *stay])
    edit = LaunchPermissionEdit(target, f"ami-{number:017x}", name, before, after)
    return ImageChange(edit, tuple(additions), tuple(removals))


def switch(target: Target) -> BlockPublicAccessChange:
    return BlockPublicAccessChange(
        BlockPublicAccessEdit(target, BlockPublicAccess.UNBLOCKED, BlockPublicAccess.BLOCK_NEW_SHARING)
    )


def plan_of(*changes: Change, left_out: tuple[LeftOut, ...] = (), unplanned: tuple[Unplanned, ...] = ()) -> Plan:
    return Plan(
        plan_id="3c1b0f4e-7a52-4f0e-9a55-0d6a6e1c9f10",
        created_at=datetime(2026, 6, 15, 8, 30, tzinfo=UTC),
        expires_at=datetime(2026, 6, 16, 8, 30, tzinfo=UTC),
        tool_version="0.1.0",
        caller_arn="arn:aws:sts::111122223333:assumed-role/auditor/session",
        account_id="111122223333",
        trust_policy_digest="5e" * 32,
        audited=Audited(images=12, grants=1203),
        changes=changes,
        left_out=left_out,
        unplanned=unplanned,
    )


SAMPLE = plan_of(
    change(
        FRANKFURT,
        5,
        "golden-2026.05",
        [
            Removal(Everyone(), "every AWS account may launch it"),
            Removal(STRANGER, NOT_TRUSTED),
            Removal(
                PARTNER,
                NOT_TRUSTED,
                Effect.KEEPS_ACCESS,
                "still covered by unit o-aaaaaaaaaa/ou-root-bbbbbbbb, which stays",
            ),
        ],
        [Addition(STAGING, "trusted: account 222233334444 (Staging)")],
        UNIT,
    ),
    change(
        FRANKFURT,
        0x30,
        HOSTILE,
        [
            Removal(FOREIGN_ORGANIZATION, NOT_TRUSTED),
            Removal(
                STRANGER,
                f"no\n{NOT_TRUSTED}",
                Effect.MAY_KEEP_ACCESS,
                "perhaps still covered by unit o-x/\x1b[31m, which stays",
            ),
        ],
        [],
        UNIT,
        STAGING,
    ),
    switch(FRANKFURT),
    change(IRELAND, 7, "", [], [Addition(UNIT, "trusted: unit bbb")]),
    left_out=(
        LeftOut(FRANKFURT, "ami-00000000000000009", "held\none", "it has the tag amiguard:hold"),
        LeftOut(IRELAND, None, "", "a declarative policy of the organization holds the switch"),
    ),
    unplanned=(
        Unplanned(replace(IRELAND, region=ALL_REGIONS), None, "the role could not be assumed: \x07 denied"),
        Unplanned(IRELAND, "ami-00000000000000004", "Its launch permission could not be read"),
    ),
)


def snapshot(target: Target, number: int, images: int, removals: list[Removal], *stay: Grantee) -> SnapshotChange:
    before = in_order([*(one.grantee for one in removals), *stay])
    image_ids = tuple(f"ami-{one:017x}" for one in range(images))
    edit = CreateVolumePermissionEdit(target, f"snap-{number:017x}", image_ids, before, in_order(stay))
    return SnapshotChange(edit, tuple(removals))
