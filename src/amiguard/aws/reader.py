"""Reads the images of one target: the port `ImageReader` over the lean client."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from amiguard.aws.block_public_access import parse_block_public_access
from amiguard.aws.ec2_query import Ec2QueryClient
from amiguard.aws.errors import ApiError, explain
from amiguard.aws.images import MOST_FILTER_VALUES, PAGE, ImagePage, ImageQuery, page_parameters, parse_page
from amiguard.aws.listed_ids import ListedIds
from amiguard.aws.pacing import Pacer
from amiguard.aws.permissions import explain_permission_error, parse_permission, permission_parameters
from amiguard.aws.snapshots import (
    explain_snapshot_error,
    is_gone,
    parse_snapshot_permission,
    snapshot_permission_parameters,
)
from amiguard.core.block_public_access import BlockPublicAccessState
from amiguard.core.image import Image, PermissionReply, Unreadable
from amiguard.core.result import Target
from amiguard.core.snapshot import SnapshotPermission

_MOST_EMPTY_PAGES = 100
"""EC2 may send an empty page that goes on; a listing that sends so many in a row does not end."""


class Ec2ImageReader:
    """The images of one account in one region.

    Args:
        client: calls EC2 in that region as that account.
        target: the account and region.
        query: which images are asked for.
        pacer: holds the buckets.
        page: images a page.
    """

    def __init__(
        self, client: Ec2QueryClient, target: Target, query: ImageQuery, pacer: Pacer, page: int = PAGE
    ) -> None:
        self._client = client
        self._target = target
        self._query = query
        self._page_size = page
        self._pacer = pacer
        self._listing = pacer.bucket(target.account_id, target.region, "DescribeImages")
        self._reading = pacer.bucket(target.account_id, target.region, "DescribeImageAttribute")
        self._reading_snapshots = pacer.bucket(target.account_id, target.region, "DescribeSnapshotAttribute")

    async def list_images(self) -> AsyncIterator[tuple[Image, ...] | Unreadable]:
        """Every image that was asked for, each once, page by page; an `Unreadable` ends the listing."""
        ids = self._query.image_ids
        # One round for all images (an empty tuple of ids asks for all), or one for each batch of named ones.
        for some in _portions(ids) if ids else ((),):
            async for page in self._pages(ImageQuery(some, self._query.tags)):
                yield page

    async def list_again(self, image_ids: Sequence[str]) -> dict[str, Image] | Unreadable:
        """The named images as they are listed now; those that are gone are absent."""
        return await self._listed(ImageQuery(image_ids=some) for some in _portions(image_ids))

    async def list_over(self, snapshot_ids: Sequence[str]) -> dict[str, Image] | Unreadable:
        """Every image of the target that has one of these snapshots now, by its id."""
        return await self._listed(ImageQuery(snapshot_ids=some) for some in _portions(snapshot_ids))

    async def read_launch_permission(self, image_id: str) -> PermissionReply:
        """Who may launch the image, as EC2 says it."""
        reply = await self._client.call(
            "DescribeImageAttribute",
            permission_parameters(image_id),
            lambda root: parse_permission(root, image_id),
            self._reading,
        )
        return explain_permission_error(reply) if isinstance(reply, ApiError) else reply

    async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
        """Who may create volumes from the snapshot, as EC2 says it."""
        reply = await self._client.call(
            "DescribeSnapshotAttribute",
            snapshot_permission_parameters(snapshot_id),
            lambda root: parse_snapshot_permission(root, snapshot_id),
            self._reading_snapshots,
        )
        match reply:
            case ApiError():
                return SnapshotPermission(snapshot_id, explain_snapshot_error(reply), is_gone(reply))
            case Unreadable():
                return SnapshotPermission(snapshot_id, reply)
            case _:
                return reply

    async def read_block_public_access(self) -> BlockPublicAccessState | Unreadable:
        """How image block public access stands in the target."""
        action = "GetImageBlockPublicAccessState"
        bucket = self._pacer.bucket(self._target.account_id, self._target.region, action)
        reply = await self._client.call(action, [], parse_block_public_access, bucket)
        return explain(reply, f"ec2:{action}") if isinstance(reply, ApiError) else reply

    async def _listed(self, queries: Iterable[ImageQuery]) -> dict[str, Image] | Unreadable:
        found: dict[str, Image] = {}
        for query in queries:
            async for page in self._pages(query):
                if isinstance(page, Unreadable):
                    return page
                found.update((image.image_id, image) for image in page)
        return found

    async def _pages(self, query: ImageQuery) -> AsyncIterator[tuple[Image, ...] | Unreadable]:
        listed = ListedIds()
        tokens: set[str] = set()
        token: str | None = None
        empty_pages = 0
        while True:
            page = await self._page(query, token)
            if isinstance(page, Unreadable):
                yield page
                return
            new = tuple(image for image in page.images if listed.add(image.image_id))
            if new:
                yield new
            empty_pages = 0 if new else empty_pages + 1
            token = page.next_token
            if token is None:
                return
            if token in tokens or empty_pages > _MOST_EMPTY_PAGES:
                yield Unreadable("the listing does not end: its pages repeat")
                return
            tokens.add(token)

    async def _page(self, query: ImageQuery, token: str | None) -> ImagePage | Unreadable:
        reply = await self._client.call(
            "DescribeImages",
            page_parameters(query, token, self._page_size),
            lambda root: parse_page(root, self._target),
            self._listing,
        )
        return explain(reply, "ec2:DescribeImages") if isinstance(reply, ApiError) else reply


def _portions(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """As many as a filter takes; none if there is none, for an empty filter would ask for all."""
    return (tuple(ids[start : start + MOST_FILTER_VALUES]) for start in range(0, len(ids), MOST_FILTER_VALUES))
