"""Version 1 of the plan file: its model, and the way between the model and `core.plan`."""

from typing import Annotated, Any, Literal, assert_never

from pydantic import Field, model_validator

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.grantee import GranteeKind, grantee_id, grantee_kind
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
from amiguard.core.result import Target
from amiguard.files.grants_v1 import (
    AccountId,
    BlockPublicAccessEditV1,
    CreateVolumePermissionEditV1,
    Digest,
    GrantV1,
    ImageId,
    LaunchPermissionEditV1,
    Moment,
    Partition,
    Record,
    Region,
    RunId,
    SnapshotId,
    ToolV1,
    block_public_access_edit_v1,
    create_volume_permission_edit_v1,
    launch_permission_edit_v1,
)
from amiguard.files.plan_removals_v1 import Count, RemovalV1, removal_v1
from amiguard.files.strict_json import digest_of

SCHEMA_VERSION: Literal["1"] = "1"
TYPE: Literal["amiguard-plan"] = "amiguard-plan"
_CAN_BE_TRUSTED = {GranteeKind.ACCOUNT, GranteeKind.ORGANIZATION, GranteeKind.ORGANIZATIONAL_UNIT}


class _PlanV1(Record):
    id: RunId
    created_at: Moment
    expires_at: Moment
    caller_arn: str
    account_id: AccountId
    trust_policy_digest: Digest


class _AuditedV1(Record):
    images: Count
    grants: Count


class _SummaryV1(Record):
    images: Count
    grants_removed: Count
    grants_added: Count
    snapshots: Count = 0
    snapshot_grants_removed: Count = 0


class _AdditionV1(GrantV1):
    reason: str


class _ImageChangeV1(LaunchPermissionEditV1):
    add: tuple[_AdditionV1, ...]
    remove: tuple[RemovalV1, ...]

    @model_validator(mode="after")
    def _hangs_together(self) -> "_ImageChangeV1":
        change = self.change()
        grantees = [*(one.grantee for one in change.additions), *(one.grantee for one in change.removals)]
        if len(set(grantees)) < len(grantees):
            raise ValueError("a grantee is added or removed twice")
        if not grantees:
            raise ValueError("nothing is changed")
        if any(one.kind not in _CAN_BE_TRUSTED for one in self.add):
            raise ValueError("only accounts, organizations and organizational units can be added")
        if any(one.kind is GranteeKind.UNRECOGNIZED for one in self.remove):
            raise ValueError("a grantee that is not understood cannot be removed")
        return self

    def change(self) -> ImageChange:
        return ImageChange(
            self.value(),
            tuple(Addition(one.value(), one.reason) for one in self.add),
            tuple(one.removal() for one in self.remove),
        )


class _SnapshotChangeV1(CreateVolumePermissionEditV1):
    remove: tuple[RemovalV1, ...]

    @model_validator(mode="after")
    def _hangs_together(self) -> "_SnapshotChangeV1":
        if len({one.grantee for one in self.change().removals}) < len(self.remove):
            raise ValueError("a grantee is removed twice")
        return self

    def change(self) -> SnapshotChange:
        return SnapshotChange(self.value(), tuple(one.removal() for one in self.remove))


class _BlockPublicAccessChangeV1(BlockPublicAccessEditV1):
    @model_validator(mode="after")
    def _switches_on(self) -> "_BlockPublicAccessChangeV1":
        if (self.before, self.after) != (BlockPublicAccess.UNBLOCKED, BlockPublicAccess.BLOCK_NEW_SHARING):
            raise ValueError("a plan switches image block public access on, and does nothing else to it")
        return self

    def change(self) -> BlockPublicAccessChange:
        return BlockPublicAccessChange(self.value())


class _NotChangedV1(Record):
    account_id: AccountId
    region: Region | Literal["*"]
    partition: Partition

    def target(self) -> Target:
        return Target(self.account_id, self.region, self.partition)


class _LeftOutV1(_NotChangedV1):
    image_id: ImageId | None
    image_name: str
    reason: str
    snapshot_id: SnapshotId | None = None
    removal: RemovalV1 | None = None

    def left_out(self) -> LeftOut:
        removal = None if self.removal is None else self.removal.removal()
        return LeftOut(self.target(), self.image_id, self.image_name, self.reason, self.snapshot_id, removal)


class _UnplannedV1(_NotChangedV1):
    image_id: ImageId | None
    reason: str
    snapshot_id: SnapshotId | None = None

    def unplanned(self) -> Unplanned:
        return Unplanned(self.target(), self.image_id, self.reason, self.snapshot_id)


_ChangeV1 = Annotated[
    _ImageChangeV1 | _SnapshotChangeV1 | _BlockPublicAccessChangeV1,
    Field(discriminator="kind"),
]


class PlanBody(Record):
    """Everything in a plan file but the digest, which is made of it."""

    schema_version: Literal["1"]
    type: Literal["amiguard-plan"]
    tool: ToolV1
    plan: _PlanV1
    audited: _AuditedV1
    summary: _SummaryV1
    changes: tuple[_ChangeV1, ...]
    left_out: tuple[_LeftOutV1, ...]
    unplanned: tuple[_UnplannedV1, ...]

    @model_validator(mode="after")
    def _hangs_together(self) -> "PlanBody":
        keys = {one.value().key for one in self.changes}
        if len(keys) < len(self.changes):
            raise ValueError("something is changed twice")
        if self.plan.expires_at < self.plan.created_at:
            raise ValueError("the plan expires before it is made")
        if self.summary != _summary(self.value()):
            raise ValueError("the summary does not agree with the changes")
        return self

    def value(self) -> Plan:
        """The plan."""
        return Plan(
            plan_id=self.plan.id,
            created_at=self.plan.created_at,
            expires_at=self.plan.expires_at,
            tool_version=self.tool.version,
            caller_arn=self.plan.caller_arn,
            account_id=self.plan.account_id,
            trust_policy_digest=self.plan.trust_policy_digest,
            audited=Audited(self.audited.images, self.audited.grants),
            changes=tuple(one.change() for one in self.changes),
            left_out=tuple(one.left_out() for one in self.left_out),
            unplanned=tuple(one.unplanned() for one in self.unplanned),
        )


class PlanFile(PlanBody):
    """A plan of amiguard: what is to be changed, why, and what it was made from."""

    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]


def document_of(plan: Plan) -> dict[str, Any]:
    """A plan as the file has it, with its digest.

    Raises:
        ValueError: no file can have it: an id, a region or a text of it is not as AWS writes them.
    """
    body = PlanBody(
        schema_version=SCHEMA_VERSION,
        type=TYPE,
        tool=ToolV1(name="amiguard", version=plan.tool_version),
        plan=_PlanV1(
            id=plan.plan_id,
            created_at=plan.created_at,
            expires_at=plan.expires_at,
            caller_arn=plan.caller_arn,
            account_id=plan.account_id,
            trust_policy_digest=plan.trust_policy_digest,
        ),
        audited=_AuditedV1(images=plan.audited.images, grants=plan.audited.grants),
        summary=_summary(plan),
        changes=tuple(_change_v1(change) for change in plan.changes),
        left_out=tuple(_left_out_v1(one) for one in plan.left_out),
        unplanned=tuple(
            _UnplannedV1(**_where(one.target), image_id=one.image_id, reason=one.reason, snapshot_id=one.snapshot_id)
            for one in plan.unplanned
        ),
    )
    # What was added to version 1 has a default and is written where it says something: a plan that was written before
    # the additions keeps its digest.
    document = body.model_dump(mode="json", exclude_defaults=True)
    return {**document, "digest": digest_of(document)}


def _summary(plan: Plan) -> _SummaryV1:
    changes = tuple(plan.image_changes)
    return _SummaryV1(
        images=len(changes),
        grants_removed=plan.removals,
        grants_added=sum(len(one.additions) for one in changes),
        snapshots=sum(1 for _ in plan.snapshot_changes),
        snapshot_grants_removed=plan.snapshot_removals,
    )


def _where(target: Target) -> dict[str, Any]:
    return {"account_id": target.account_id, "region": target.region, "partition": target.partition}


def _left_out_v1(one: LeftOut) -> _LeftOutV1:
    return _LeftOutV1(
        **_where(one.target),
        image_id=one.image_id,
        image_name=one.image_name,
        reason=one.reason,
        snapshot_id=one.snapshot_id,
        removal=None if one.removal is None else removal_v1(one.removal),
    )


def _change_v1(change: Change) -> _ChangeV1:
    match change:
        case ImageChange(edit, additions, removals):
            return _ImageChangeV1(
                **dict(launch_permission_edit_v1(edit)),
                add=tuple(
                    _AdditionV1(kind=grantee_kind(one.grantee), grantee=grantee_id(one.grantee), reason=one.reason)
                    for one in additions
                ),
                remove=tuple(map(removal_v1, removals)),
            )
        case SnapshotChange(edit, removals):
            return _SnapshotChangeV1(
                **dict(create_volume_permission_edit_v1(edit)), remove=tuple(map(removal_v1, removals))
            )
        case BlockPublicAccessChange(edit):
            return _BlockPublicAccessChangeV1(**dict(block_public_access_edit_v1(edit)))
        case _:
            assert_never(change)
