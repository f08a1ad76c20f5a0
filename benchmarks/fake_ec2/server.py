"""The fake EC2 as a server on a free loopback port, on a thread of its own."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from .buckets import Buckets
from .connection import Connection
from .credentials import credentials_for
from .estate import Estate, FakeImage
from .faults import Fault
from .grants import Grant
from .service import UNAVAILABLE_STATES, Service
from .snapshots_data import FakeSnapshot
from .stats import REMEMBERED, Stats


class FakeEc2:
    """A server for EC2, STS, Organizations, CloudTrail and KMS; use it with `with`, which starts and stops it.

    Args:
        estate: what it serves.
        latency: seconds before every answer.
        bucket: how EC2 calls are throttled: one `Bucket` for each account, region and action, a mapping from actions to
            buckets, `DOCUMENTED`, or `None`.
        faults: rules; the first that strikes a call decides.
        verify_every: the signature of every n-th call is checked; 0 for none.
        unavailable_states: the states in which an image's attributes can be neither read nor changed.
        late_reads: so many reads of the permission of an image or a snapshot still show what was before it was
            modified, and so many of the state of image block public access what was before it was switched.
        report_seconds: how long a usage report is pending.
        remember: how many of the newest calls `stats` keeps.
        clock: what the buckets and the usage reports take for the time, in seconds.
    """

    def __init__(
        self,
        estate: Estate,
        *,
        latency: float = 0.0,
        bucket: Buckets = None,
        faults: Sequence[Fault] = (),
        verify_every: int = 1,
        unavailable_states: frozenset[str] = UNAVAILABLE_STATES,
        late_reads: int = 0,
        report_seconds: float = 0.0,
        remember: int = REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = Service(
            estate,
            bucket=bucket,
            faults=faults,
            verify_every=verify_every,
            unavailable_states=unavailable_states,
            late_reads=late_reads,
            report_seconds=report_seconds,
            remember=remember,
            clock=clock,
        )
        self._latency = latency
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()
        self._thread = threading.Thread(target=self._run, name="fake-ec2", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop, stop, _ = self._started.result()
        loop.call_soon_threadsafe(stop.set)
        self._thread.join()

    @property
    def endpoint_url(self) -> str:
        """The URL for every service, account and region."""
        return f"http://127.0.0.1:{self._started.result()[2]}"

    @property
    def stats(self) -> Stats:
        """What was counted since the start or the last reset."""
        return self._service.stats

    def environment(self, account_id: str, *, region: str = "us-east-1", session: bool = False) -> dict[str, str]:
        """Return the variables that point AWS clients here, as this account, and away from any real configuration."""
        return environment(self.endpoint_url, account_id, region=region, session=session)

    def client_arguments(self, account_id: str, *, region: str = "us-east-1", session: bool = False) -> dict[str, Any]:
        """Return the arguments for `boto3.client(service, **...)`."""
        credentials = credentials_for(account_id, session=0 if session else None)
        return {
            "endpoint_url": self.endpoint_url,
            "region_name": region,
            "aws_access_key_id": credentials.access_key_id,
            "aws_secret_access_key": credentials.secret_access_key,
            "aws_session_token": credentials.session_token,
        }

    def reset(self) -> None:
        """Forget what was counted, and fill the buckets; changed images stay changed."""
        self._service.reset()

    def set_faults(self, *faults: Fault) -> None:
        """Put other rules in the place of the present ones."""
        self._service.faults.replace(faults)

    def image(self, account_id: str, region: str, image_id: str) -> FakeImage | None:
        """Return an image as it is now, or `None`."""
        return self._service.store.image(account_id, region, image_id)

    def put_image(self, account_id: str, region: str, image: FakeImage) -> None:
        """Add an image, or put it in the place of the one with its id."""
        self._service.store.put_image(account_id, region, image)

    def drop_image(self, account_id: str, region: str, image_id: str) -> None:
        """Deregister an image."""
        self._service.store.drop_image(account_id, region, image_id)

    def change_image(self, account_id: str, region: str, image_id: str, **changes: Any) -> None:
        """Replace fields of an image; raises `KeyError` if it is not there."""
        self._service.store.change_image(account_id, region, image_id, **changes)

    def set_grants(self, account_id: str, region: str, image_id: str, *grants: Grant) -> None:
        """Replace the launch permission of an image; raises `KeyError` if it is not there."""
        self._service.store.set_grants(account_id, region, image_id, *grants)

    def snapshot(self, account_id: str, region: str, snapshot_id: str) -> FakeSnapshot | None:
        """Return a snapshot as it is now, or `None`."""
        return self._service.store.snapshot(account_id, region, snapshot_id)

    def put_snapshot(self, account_id: str, region: str, snapshot: FakeSnapshot) -> None:
        """Add a snapshot, or put it in the place of the one with its id."""
        self._service.store.put_snapshot(account_id, region, snapshot)

    def drop_snapshot(self, account_id: str, region: str, snapshot_id: str) -> None:
        """Delete a snapshot."""
        self._service.store.drop_snapshot(account_id, region, snapshot_id)

    def block_public_access(self, account_id: str, region: str) -> str:
        """Return the state of image block public access as it is, whatever reads show."""
        return self._service.store.block_public_access(account_id, region)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            # Whoever waits for the start must not wait forever.
            if not self._started.done():
                self._started.set_exception(error)
            raise

    async def _serve(self) -> None:
        connections: set[Connection] = set()
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        server = await loop.create_server(
            lambda: Connection(self._service, self._latency, connections), "127.0.0.1", 0, backlog=1024
        )
        self._started.set_result((loop, stop, server.sockets[0].getsockname()[1]))
        try:
            await stop.wait()
        finally:
            for listening in server.sockets:
                loop.remove_reader(listening.fileno())
            # Turns of the loop, after which a connection that was accepted just before is known. A server that is
            # closed earlier forgets it, open.
            for _ in range(3):
                await asyncio.sleep(0)
            server.close()
            while connections:
                for connection in tuple(connections):
                    connection.abort()
                await asyncio.sleep(0)
            await server.wait_closed()


def environment(
    endpoint_url: str, account_id: str, *, region: str = "us-east-1", session: bool = False
) -> dict[str, str]:
    """Return the variables that point AWS clients at a fake, as this account, and away from any real configuration."""
    credentials = credentials_for(account_id, session=0 if session else None)
    variables = {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    return variables | ({"AWS_SESSION_TOKEN": credentials.session_token} if credentials.session_token else {})
