"""What the runs begin with: the plan that is applied, the journal that is undone, and the estate of each."""

import functools
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from benchmarks.fake_ec2 import Estate, FakeAccount, FakeEc2, by_id, by_snapshot_id
from tests.faults.estate import ESTATE, MEMBER, OWNER
from tests.faults.matrix import ARGUMENTS, TRUST, Run
from tests.faults.play import Played, Stage, play

State = dict[tuple[str, str], frozenset[str]]
"""By region and id (of an image, a snapshot, or `switch`) whom it is shared with, or how the switch stands."""
_PLAN: Final = (
    "plan", *TRUST, "--trust", MEMBER, "--snapshots", "--block-public-access", "--output", "plan.json", "--quiet"
)  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """What a run without faults began with, made and left.

    Attributes:
        files: what is in its folder at the beginning, by name.
        calls: how many calls of each action it made, by account and action.
        before: the state of the estate at the beginning; of an audit, empty.
        after: at the end.
    """

    estate: Estate
    files: dict[str, bytes]
    calls: Counter[tuple[str, str]]
    played: Played
    before: State
    after: State

    def fill(self, folder: Path) -> None:
        """Put the files into a folder."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def state_of(fake: FakeEc2) -> State:
    """Whom everything in the remediated account is shared with."""
    found: State = {}
    for region in ESTATE.accounts[OWNER].regions:
        store = fake._service.store
        for one in store.ids(OWNER, region):
            image = fake.image(OWNER, region, one)
            assert image is not None
            found[region, one] = frozenset(grant.value for grant in image.grants)
        for one in store.snapshot_ids(OWNER, region):
            snapshot = fake.snapshot(OWNER, region, one)
            assert snapshot is not None
            found[region, one] = frozenset(grant.value for grant in snapshot.grants)
        found[region, "switch"] = frozenset({fake.block_public_access(OWNER, region)})
    return found


def _estate_as_left(fake: FakeEc2) -> Estate:
    regions = {}
    store = fake._service.store
    for name, region in ESTATE.accounts[OWNER].regions.items():
        images = [image for one in region.images if (image := fake.image(OWNER, name, one))]
        snapshots = [snapshot for one in region.snapshots if (snapshot := fake.snapshot(OWNER, name, one))]
        regions[name] = replace(
            region,
            images=by_id(*images),
            snapshots=by_snapshot_id(*snapshots),
            block_public_access=store.block_public_access(OWNER, name),
        )
    return Estate({OWNER: FakeAccount(regions)})


def play_in(folder: Path, run: Run, estate: Estate) -> Played:
    """A run without faults."""
    with pytest.MonkeyPatch.context() as patch:
        played = play(Stage(folder, patch), estate, ARGUMENTS[run], (), OWNER)
    assert played.code == (0 if run.changes else 1), played.err
    return played


@functools.cache
def prepared(run: Run) -> Prepared:
    """What a run begins with, and how it ends without faults; made once in each process."""
    estate, files = _beginning(run)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        with FakeEc2(estate) as untouched:
            before = state_of(untouched) if run.changes else {}
        played = play_in(folder, run, estate)
        calls = Counter((one.call.account_id, one.call.action) for one in played.served)
        return Prepared(estate, files, calls, played, before, state_of(played.fake) if run.changes else {})


def _beginning(run: Run) -> tuple[Estate, dict[str, bytes]]:
    if not run.changes:
        return ESTATE, {}
    plan = _plan()
    if run is Run.APPLY:
        return ESTATE, {"plan.json": plan}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plan.json").write_bytes(plan)
        applied = play_in(folder, Run.APPLY, ESTATE)
        return _estate_as_left(applied.fake), {"done.journal": (folder / "apply.journal").read_bytes()}


@functools.cache
def _plan() -> bytes:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        played = play(Stage(Path(name), patch), ESTATE, _PLAN, (), OWNER)
        assert played.code == 0, played.err
        return (Path(name) / "plan.json").read_bytes()
