"""DescribeSnapshots: with which KMS key are the snapshots under an image encrypted?"""

from collections.abc import Mapping

from lxml import etree

from amiguard.aws.ec2_query import Ec2QueryClient
from amiguard.aws.ec2_xml import MalformedReplyError, child, child_text, items
from amiguard.aws.errors import ApiError, explain
from amiguard.aws.evidence.once import Batches
from amiguard.aws.evidence.pages import PAGE, Page, read_pages
from amiguard.aws.pacing import TokenBucket
from amiguard.core.evidence_ports import SnapshotEncryption
from amiguard.core.image import Unreadable

_ACTION = "DescribeSnapshots"
_GONE = Unreadable("EC2 does not list the snapshot: it is gone, or belongs to another account")
_OTHER_KEYS = Unreadable("further KMS keys are associated with the snapshot: each is a way in of its own")


class Encryptions:
    """How the snapshots of one target are encrypted; what is asked for within a moment is asked in one call.

    Args:
        client: calls EC2 in that region as that account.
        bucket: of DescribeSnapshots.
    """

    def __init__(self, client: Ec2QueryClient, bucket: TokenBucket) -> None:
        self._client = client
        self._bucket = bucket
        self._batches = Batches(self._ask)

    async def read(self, snapshot_id: str) -> SnapshotEncryption | Unreadable:
        """How one snapshot is encrypted."""
        answer = await self._batches.get(snapshot_id)
        return _GONE if answer is None else answer

    async def _ask(self, snapshot_ids: tuple[str, ...]) -> Mapping[str, SnapshotEncryption | Unreadable] | Unreadable:
        # Ids by a filter: one that is gone is no error then. Filtered and in pages, the calls have the bucket of reads,
        # and not the half of it that EC2 gives those that are neither. Own ones only: the public ones are very many.
        named = [
            ("Owner.1", "self"),
            ("Filter.1.Name", "snapshot-id"),
            *((f"Filter.1.Value.{place}", one) for place, one in enumerate(snapshot_ids, 1)),
            ("MaxResults", str(PAGE)),
        ]

        async def read(token: str | None) -> Page[tuple[str, SnapshotEncryption | Unreadable]] | ApiError | Unreadable:
            parameters = [*named, *([] if token is None else [("NextToken", token)])]
            return await self._client.call(_ACTION, parameters, parse_encryptions, self._bucket)

        reply = await read_pages(read, "snapshots")
        if isinstance(reply, ApiError):
            return explain(reply, f"ec2:{_ACTION}")
        return reply if isinstance(reply, Unreadable) else dict(reply)


def parse_encryptions(root: etree._Element) -> Page[tuple[str, SnapshotEncryption | Unreadable]]:
    """Read a page of a DescribeSnapshotsResponse: snapshot ids, and how each is encrypted.

    A snapshot may have associated keys besides its own; each lets its users at the data independently (EC2 API
    Reference, AssociateKmsKeyId), so that the snapshot's own key alone does not decide.

    Raises:
        MalformedReplyError: a snapshot without id, without its encryption, or encrypted without a key.
    """
    found: list[tuple[str, SnapshotEncryption | Unreadable]] = []
    for item in items(root, "snapshotSet"):
        snapshot_id, encrypted = child_text(item, "snapshotId"), child_text(item, "encrypted")
        key_arn = child_text(item, "kmsKeyId")
        others = child(item, "associatedKmsKeySet")
        if not snapshot_id or encrypted not in {"true", "false"} or (encrypted == "true" and not key_arn):
            raise MalformedReplyError("a snapshot is listed without its id, its encryption or its key")
        if others is not None and len(others):
            found.append((snapshot_id, _OTHER_KEYS))
        else:
            found.append((snapshot_id, SnapshotEncryption(key_arn if encrypted == "true" else None)))
    return Page(tuple(found), child_text(root, "nextToken") or None)
