"""Version 1 of the journal's records: a line of JSON each, and the way between them and core's types."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field, TypeAdapter, model_validator

from amiguard.core.edit import BlockPublicAccessEdit, CreateVolumePermissionEdit, Edit, LaunchPermissionEdit, Step
from amiguard.core.remediation import ChangeStatus
from amiguard.core.scope import RoleOptions
from amiguard.core.selection import Access
from amiguard.files.grants_v1 import (
    AccountId,
    BlockPublicAccessEditV1,
    CreateVolumePermissionEditV1,
    Digest,
    GrantV1,
    LaunchPermissionEditV1,
    Moment,
    Record,
    RunId,
    ToolV1,
    block_public_access_edit_v1,
    create_volume_permission_edit_v1,
    grants_v1,
    launch_permission_edit_v1,
    values_of,
)
from amiguard.files.journal_record import JournalHeader, JournalKind
from amiguard.files.strict_json import canonical

SCHEMA_VERSION: Literal["1"] = "1"
_DIGEST_LENGTH = 32
_EditV1 = LaunchPermissionEditV1 | CreateVolumePermissionEditV1 | BlockPublicAccessEditV1


class _AccessV1(Record):
    account_id: AccountId
    profile: str | None
    chain: tuple[str, ...]
    role_arn: str | None
    external_id: str | None


class _TagV1(Record):
    key: str
    value: str


class _SessionV1(Record):
    name: str
    source_identity: str | None
    tags: tuple[_TagV1, ...]
    duration: int


class _CallerV1(Record):
    """Who runs it, and how the accounts are reached."""

    at: Moment
    tool: ToolV1
    caller_arn: str
    accounts: tuple[_AccessV1, ...]
    session: _SessionV1

    def ways(self) -> Mapping[str, Access]:
        """The way into each account."""
        return {one.account_id: Access(one.profile, one.chain, one.role_arn, one.external_id) for one in self.accounts}

    def roles(self) -> RoleOptions:
        """How roles are assumed."""
        tags = tuple((tag.key, tag.value) for tag in self.session.tags)
        return RoleOptions(self.session.name, self.session.source_identity, tags, self.session.duration)


class HeaderV1(_CallerV1):
    """The first record: what the journal is of."""

    type: Literal["journal"]
    schema_version: Literal["1"]
    journal_id: RunId
    kind: JournalKind
    of: RunId
    of_digest: Digest
    account_id: AccountId

    def value(self) -> JournalHeader:
        """The header."""
        return JournalHeader(
            journal_id=self.journal_id,
            kind=self.kind,
            of=self.of,
            of_digest=self.of_digest,
            tool_version=self.tool.version,
            caller_arn=self.caller_arn,
            account_id=self.account_id,
            accounts=self.ways(),
            roles=self.roles(),
        )


class ResumedV1(_CallerV1):
    """A later run of the same goes on from here.

    Attributes:
        of_digest: of the plan or journal as it is by then; None where an earlier version wrote the record.
    """

    type: Literal["resumed"]
    of_digest: Digest | None = None


class _StepV1(Record):
    add: tuple[GrantV1, ...]
    remove: tuple[GrantV1, ...]

    @model_validator(mode="after")
    def _is_one_call(self) -> "_StepV1":
        Step(values_of(self.add), values_of(self.remove))
        return self


class IntentV1(Record):
    """A call is about to be made."""

    type: Literal["intent"]
    at: Moment
    edit: Annotated[_EditV1, Field(discriminator="kind")]
    step: _StepV1 | None

    @model_validator(mode="after")
    def _has_its_step(self) -> "IntentV1":
        if isinstance(self.edit, BlockPublicAccessEditV1) is not (self.step is None):
            raise ValueError("the calls that edit grants have a step, and those of a switch have none")
        return self


class OutcomeV1(Record):
    """What became of an edit.

    Attributes:
        may_have_effect: whether anything of the edit may be in force; so it is where the record does not say.
    """

    type: Literal["outcome"]
    at: Moment
    key: str
    status: ChangeStatus
    reason: str
    may_have_effect: bool = True


RecordV1 = HeaderV1 | ResumedV1 | IntentV1 | OutcomeV1
TYPES = ("journal", "resumed", "intent", "outcome")
RECORD: TypeAdapter[RecordV1] = TypeAdapter(Annotated[RecordV1, Field(discriminator="type")])


def header_v1(header: JournalHeader, at: datetime) -> HeaderV1:
    """The record of a new journal."""
    return HeaderV1(
        type="journal",
        schema_version=SCHEMA_VERSION,
        at=at,
        tool=ToolV1(name="amiguard", version=header.tool_version),
        journal_id=header.journal_id,
        kind=header.kind,
        of=header.of,
        of_digest=header.of_digest,
        caller_arn=header.caller_arn,
        account_id=header.account_id,
        accounts=_accounts_v1(header.accounts),
        session=_session_v1(header.roles),
    )


def resumed_v1(header: JournalHeader, at: datetime) -> ResumedV1:
    """The record of a journal that is gone on with."""
    return ResumedV1(
        type="resumed",
        at=at,
        of_digest=header.of_digest,
        tool=ToolV1(name="amiguard", version=header.tool_version),
        caller_arn=header.caller_arn,
        accounts=_accounts_v1(header.accounts),
        session=_session_v1(header.roles),
    )


def intent_v1(edit: Edit, step: Step | None, at: datetime) -> IntentV1:
    """The record of a call that is about to be made.

    Raises:
        ValueError: the step is not one of such an edit.
    """
    step_v1 = None if step is None else _StepV1(add=grants_v1(step.add), remove=grants_v1(step.remove))
    return IntentV1(type="intent", at=at, edit=_edit_v1(edit), step=step_v1)


def chained(fields: dict[str, Any], last: str) -> str:
    """The digest that a record has: a part of the SHA-256 over its fields and over all records before it, in hex.

    Args:
        fields: all of the record but its digest.
        last: the digest of the record before it; empty for the first.
    """
    return hashlib.sha256(last.encode() + canonical(fields)).hexdigest()[:_DIGEST_LENGTH]


def line_of(record: RecordV1, last: str) -> tuple[bytes, str]:
    """A record as a line: ASCII, its type first and its digest last; and that digest.

    Args:
        record: what is to be written.
        last: the digest of the record before it; empty for the first.
    """
    fields = {"type": record.type, **record.model_dump(mode="json")}
    digest = chained(fields, last)
    line = json.dumps({**fields, "digest": digest}, separators=(",", ":"), ensure_ascii=True)
    return line.encode() + b"\n", digest


def _edit_v1(edit: Edit) -> _EditV1:
    match edit:
        case LaunchPermissionEdit():
            return launch_permission_edit_v1(edit)
        case CreateVolumePermissionEdit():
            return create_volume_permission_edit_v1(edit)
        case BlockPublicAccessEdit():
            return block_public_access_edit_v1(edit)
        case _:
            assert_never(edit)


def _accounts_v1(accounts: Mapping[str, Access]) -> tuple[_AccessV1, ...]:
    return tuple(
        _AccessV1(
            account_id=account_id,
            profile=access.profile,
            chain=access.chain,
            role_arn=access.role_arn,
            external_id=access.external_id,
        )
        for account_id, access in sorted(accounts.items())
    )


def _session_v1(roles: RoleOptions) -> _SessionV1:
    tags = tuple(_TagV1(key=key, value=value) for key, value in roles.tags)
    return _SessionV1(
        name=roles.session_name, source_identity=roles.source_identity, tags=tags, duration=roles.duration
    )
