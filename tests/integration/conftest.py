"""Fixtures of the integration tests: the AWS of those that act under printed policies."""

from collections.abc import Iterator

import pytest

from amiguard.demo.server import running_server
from tests.integration.least_privilege_world import SETTINGS, World
from tests.integration.moto_clients import REGION


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made once a module, for it takes seconds."""
    with running_server([REGION]) as url:
        yield World(url, tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(shared_world: World) -> World:
    """As it was made: with its settings, and its image shared."""
    shared_world.settings(SETTINGS)
    shared_world.share()
    return shared_world
