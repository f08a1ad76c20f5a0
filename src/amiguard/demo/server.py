"""moto's server in a thread of this process. Imports moto: import this module only to start the demo."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import Lock, Thread

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from amiguard.demo.account_names import served_account_names
from amiguard.demo.block_public_access import served_block_public_access
from amiguard.demo.environment import changed
from amiguard.demo.errors import DemoUnavailableError
from amiguard.demo.image_filters import served_image_filters
from amiguard.demo.recording import recorded_calls
from amiguard.demo.recycle_bin import served_recycle_bin
from amiguard.demo.snapshot_permissions import served_snapshot_permissions
from amiguard.demo.trail import served_trail
from amiguard.demo.usage_reports import served_usage_reports

_LOGGER = logging.getLogger(__name__)
_HOST = "127.0.0.1"
_POLL_SECONDS = 0.05
# moto keeps the state of its AWS in this process, so two servers would be one and the same.
_ONLY_ONE = Lock()


class _QuietHandler(WSGIRequestHandler):
    """Keeps the request log away from the terminal, which belongs to the caller."""

    timeout = 5  # a connection without a request must not hold up the end

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002, ARG002  (werkzeug's signature)
        _LOGGER.debug(message, *args)


class _QuietServer(ThreadedWSGIServer):
    """Waits at its end for the requests in flight, so that no thread outlives it."""

    daemon_threads = False

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002, ARG002  (werkzeug's signature)
        _LOGGER.debug(message, *args)


@contextmanager
def running_server(regions: Collection[str]) -> Iterator[str]:
    """Runs moto, empty, on a free port of the loopback interface and gives its URL.

    Args:
        regions: the regions that DescribeRegions answers with.

    Raises:
        DemoUnavailableError: a demo is running in this process already.
    """
    if not _ONLY_ONE.acquire(blocking=False):
        raise DemoUnavailableError("A demo is already running in this process: end it first.")
    try:
        # Without moto's own images of Amazon every account and region starts many times faster.
        with (
            changed({"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}),
            _only_regions(regions),
            served_account_names(),
            served_block_public_access(),
            served_image_filters(),
            served_recycle_bin(),
            served_snapshot_permissions(),
            served_trail(),
            served_usage_reports(),
            recorded_calls(),  # last, for it records what the others do
        ):
            _empty()
            server = _QuietServer(_HOST, 0, DomainDispatcherApplication(create_backend_app), _QuietHandler)
            thread = Thread(target=server.serve_forever, args=(_POLL_SECONDS,), name="amiguard-demo", daemon=True)
            thread.start()
            try:
                yield f"http://{_HOST}:{server.port}"
            finally:
                server.shutdown()
                thread.join()
    finally:
        _ONLY_ONE.release()


def _empty() -> None:
    """Forgets what an earlier server of this process was told, in every account and region."""
    BackendDict.reset()
    reset_model_data()


@contextmanager
def _only_regions(names: Collection[str]) -> Iterator[None]:
    """Leaves moto no other regions than these.

    moto answers DescribeRegions with every region of every partition, those of China and of the US government and those
    that are not enabled included; AWS names only the enabled regions of one partition.
    """
    every_region = RegionsAndZonesBackend.regions
    RegionsAndZonesBackend.regions = [region for region in every_region if region.name in names]
    try:
        yield
    finally:
        RegionsAndZonesBackend.regions = every_region
