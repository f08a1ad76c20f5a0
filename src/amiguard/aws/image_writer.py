"""Changes the images and snapshots of one target: the port `ImageWriter` over botocore.

A throttled call had no effect, so it is made again until EC2 serves it. A call without a usable reply may have had its
effect: it is never made again here, because only reading back tells.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from amiguard.aws.botocore_calls import BotocoreClients
from amiguard.aws.credentials import CredentialSource
from amiguard.aws.denials import Denials
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.errors import EXPIRED, THROTTLING, ApiError, api_error, explain, explain_botocore, unserved
from amiguard.aws.pacing import Pacer, TokenBucket
from amiguard.aws.session import CALL_ERRORS
from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import Step
from amiguard.core.grantee import Account, Everyone, Grantee, grantee_id, launch_permission_item
from amiguard.core.image import Unreadable
from amiguard.core.ports import Accepted, NoAnswer, Refused, WriteReply
from amiguard.core.result import Target

_AT_ONCE = 8
"""Calls of one target under way at once: the bucket of ModifyImageAttribute needs no more but in its first second."""
_SERVICE = "ec2"
_DRY_RUN = "DryRunOperation"
_NOT_PERMITTED = "OperationNotPermitted"
_LONGEST_REASON = 300
_SWITCHES = {
    BlockPublicAccess.BLOCK_NEW_SHARING: "EnableImageBlockPublicAccess",
    BlockPublicAccess.UNBLOCKED: "DisableImageBlockPublicAccess",
}
_ACTIONS = ("ModifyImageAttribute", "ModifySnapshotAttribute", *_SWITCHES.values())


@dataclass(frozen=True, slots=True)
class _Call:
    """One call: its action and parameters, the moment for which a token was had, and what its reply must say."""

    action: str
    parameters: Mapping[str, object]
    granted_at: float
    dry_run: bool
    makes_image_public: bool = False
    state: BlockPublicAccess | None = None


class Ec2ImageWriter:
    """Changes one account in one region.

    Args:
        clients: make the calls, each in a thread.
        target: the account and region.
        credentials: of the account.
        stats: where the calls are counted.
        pacer: holds the buckets.
        denials: decodes refusals that come in code; None to leave them so.
    """

    def __init__(
        self,
        clients: BotocoreClients,
        target: Target,
        credentials: CredentialSource,
        stats: CallStats,
        pacer: Pacer,
        *,
        denials: Denials | None = None,
    ) -> None:
        self._clients = clients
        self._region = target.region
        self._denials = denials
        self._credentials = credentials
        self._stats = stats
        # The pacer forgets a bucket that nobody holds, and would give its burst anew.
        self._buckets = {action: pacer.bucket(target.account_id, target.region, action) for action in _ACTIONS}
        self._granted_at = float("-inf")
        self._snapshot_granted_at = float("-inf")
        self._repeats = True
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def stop_repeating(self) -> None:
        """From now on a throttled call is not made again: it had no effect, and ends as refused."""
        self._repeats = False

    async def wait_for_turn(self) -> None:
        """Wait for a token of ModifyImageAttribute's bucket."""
        self._granted_at = await self._buckets["ModifyImageAttribute"].take()

    async def modify_launch_permission(self, image_id: str, step: Step, *, dry_run: bool = False) -> WriteReply:
        """Make one ModifyImageAttribute call with explicit lists; `wait_for_turn` is waited for before.

        Args:
            image_id: an image of the target.
            step: what to add, or what to remove.
            dry_run: only ask EC2 whether it would be permitted.

        Raises:
            ValueError: a grantee is unrecognized, and cannot be named to EC2.
        """
        side, grantees = ("Add", step.add) if step.add else ("Remove", step.remove)
        permission = {side: [launch_permission_item(grantee) for grantee in grantees]}
        parameters = {"ImageId": image_id, "LaunchPermission": permission}
        makes_public = Everyone() in step.add
        return await self._make(_Call("ModifyImageAttribute", parameters, self._granted_at, dry_run, makes_public))

    async def wait_for_snapshot_turn(self) -> None:
        """Wait for a token of ModifySnapshotAttribute's bucket."""
        self._snapshot_granted_at = await self._buckets["ModifySnapshotAttribute"].take()

    async def modify_create_volume_permission(
        self, snapshot_id: str, step: Step, *, dry_run: bool = False
    ) -> WriteReply:
        """Make one ModifySnapshotAttribute call with explicit lists; `wait_for_snapshot_turn` is waited for before.

        Args:
            snapshot_id: a snapshot of the target.
            step: what to add, or what to remove.
            dry_run: only ask EC2 whether it would be permitted.

        Raises:
            ValueError: a grantee is neither an account nor everyone: snapshots have no others.
        """
        side, grantees = ("Add", step.add) if step.add else ("Remove", step.remove)
        parameters = {
            "SnapshotId": snapshot_id,
            "Attribute": "createVolumePermission",
            "CreateVolumePermission": {side: [_create_volume_permission_item(grantee) for grantee in grantees]},
        }
        return await self._make(_Call("ModifySnapshotAttribute", parameters, self._snapshot_granted_at, dry_run))

    async def set_block_public_access(self, state: BlockPublicAccess, *, dry_run: bool = False) -> WriteReply:
        """Switch image block public access on or off; EC2 may take 10 minutes until it shows."""
        action = _SWITCHES[state]
        parameters = {"ImageBlockPublicAccessState": state.value} if state is not BlockPublicAccess.UNBLOCKED else {}
        granted_at = await self._buckets[action].take()
        return await self._make(_Call(action, parameters, granted_at, dry_run, state=state))

    async def _make(self, call: _Call) -> WriteReply:
        """See one call through: past throttling, and past credentials that expire, once."""
        renewed = False
        while True:
            credentials = await self._credentials.current()
            if isinstance(credentials, Unreadable):
                return Refused(credentials.reason, credentials.hint)
            answer = await self._attempt(call, credentials)
            if not isinstance(answer, ApiError):
                return answer
            if answer.code in THROTTLING and not self._repeats:
                self._stats.count_throttled()
                return Refused("EC2 throttled the call until the run was stopped", "apply the plan again later")
            if answer.code in THROTTLING:
                call = await self._wait_again(call, self._buckets[call.action])
            elif answer.code in EXPIRED and not renewed and await self._credentials.renew(credentials):
                renewed = True
            else:
                iam_action = f"ec2:{call.action}"
                if self._denials is not None:
                    answer = await self._denials.explained(answer, iam_action, credentials, self._region)
                why = explain(answer, iam_action)
                return Refused(why.reason, why.hint, call.makes_image_public and answer.code == _NOT_PERMITTED)

    async def _wait_again(self, call: _Call, bucket: TokenBucket) -> _Call:
        self._stats.count_throttled()
        bucket.throttled(call.granted_at)
        return replace(call, granted_at=await bucket.take())

    async def _attempt(self, call: _Call, credentials: ReadOnlyCredentials) -> WriteReply | ApiError:
        try:
            await self._clients.connect(_SERVICE, self._region)
        except CALL_ERRORS as error:
            told = explain_botocore(error, doing="prepare the call", iam_action=f"ec2:{call.action}")
            return Refused(told.message, told.hint)
        parameters = {**call.parameters, "DryRun": call.dry_run}
        async with self._slots:
            self._stats.count(call.action)
            try:
                reply = await self._clients.send(_SERVICE, self._region, credentials, call.action, parameters)
            except ClientError as error:
                return _read_error(error, dry_run=call.dry_run)
            except (*CALL_ERRORS, KeyError) as error:  # KeyError is what botocore makes of a page of HTML
                return _no_answer(f"no usable reply came: {type(error).__name__}: {error}")
        return _read_reply(call, reply)


def _create_volume_permission_item(grantee: Grantee) -> dict[str, str]:
    if isinstance(grantee, Account | Everyone):
        return launch_permission_item(grantee)
    raise ValueError(f"snapshots are shared with accounts and everyone only, not with {grantee_id(grantee)!r}")


def _read_reply(call: _Call, reply: Mapping[str, Any]) -> WriteReply:
    if call.dry_run:
        return _no_answer("the dry run was answered as if the change had been made: read it back")
    # Of the reply to a call that modifies an attribute botocore keeps EC2's request id only: any XML would pass for it.
    if not reply.get("ResponseMetadata", {}).get("RequestId"):
        return _no_answer("no usable reply came: it was not EC2's")
    said = reply.get("ImageBlockPublicAccessState", call.state)
    return Accepted() if said == call.state else _no_answer(f"EC2 says that the state is {said}")


def _read_error(error: ClientError, *, dry_run: bool) -> WriteReply | ApiError:
    status, said = api_error(error)
    if said.code == _DRY_RUN and dry_run:
        return Accepted()
    if said.code in THROTTLING:
        return said
    reason = unserved(status, said)
    return said if reason is None else _no_answer(reason)


def _no_answer(reason: str) -> NoAnswer:
    return NoAnswer(reason[:_LONGEST_REASON])
