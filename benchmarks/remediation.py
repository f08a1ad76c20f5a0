"""Access taken back from many images: as fast as EC2 lets it, nothing lost, and no region waits for another."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.fake_ec2 import (
    DOCUMENTED,
    Call,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeOrganization,
    FakeRegion,
    FakeRole,
    Grant,
    account_grant,
    by_id,
    everyone_grant,
    organization_grant,
    unit_grant,
)
from benchmarks.fake_ec2.generate import REGION_NAMES
from benchmarks.fake_process import ACCOUNT
from benchmarks.figures import Figure, Target, figure
from benchmarks.measure import Usage, measure
from benchmarks.observe import READ, Effort
from benchmarks.programs import AMIGUARD, surroundings

MODIFY: Final = "ModifyImageAttribute"
# Plans are in the order of the regions' names: the large one comes first, and the small one would wait for it.
_SMALL, _LARGE = REGION_NAMES[:2]
_SMALL_IMAGES: Final = 20
_REGIONS: Final = REGION_NAMES[:5]
_OF_ORGANIZATION: Final = ("--organization", "--role-name", "Audit", "--max-images", "1000")
_BY_ROLE: Final = ("--role-name", "Change")
_TRUSTED: Final = tuple(f"{700_000_000_000 + number}" for number in range(4))
_TRUST: Final = tuple(part for account_id in _TRUSTED for part in ("--trust", account_id))
_FOREIGN: Final = "arn:aws:organizations::900000000000:{}/o-foreign000"
_LATENCY: Final = 0.03
_SIGNATURES: Final = 64
"""The signature of every 64th call is checked."""
_ENDINGS: Final = (0, 4)
"""Exit codes of a run that went to its end; whether all was done is seen from the images."""


@dataclass(frozen=True, slots=True)
class _Applied:
    """One apply, and what the fake saw of it.

    Attributes:
        wrong: images that do not have exactly the grants that the plan leads to.
        calls: and when each of them came, in that order.
    """

    usage: Usage
    stats: Mapping[str, Any]
    wrong: int
    calls: tuple[tuple[float, Call], ...]

    def served(self, action: str) -> int:
        """Calls of an action that were not throttled."""
        return int(self.stats["calls"].get(action, 0) - self.stats["throttled"].get(action, 0))

    def throttled(self, action: str) -> float:
        """Throttled calls in 100 of an action."""
        return 100 * float(self.stats["throttled"].get(action, 0)) / float(self.stats["calls"].get(action, 1))

    @property
    def other_calls(self) -> int:
        """Calls that neither read nor change a launch permission."""
        return sum(count for action, count in self.stats["calls"].items() if action not in {READ, MODIFY})

    @property
    def small_done_after(self) -> float:
        """Seconds from the first call of EC2 in any region until the last change of the small one was read back."""
        return self._small_done_at - min(at for at, call in self.calls if call.service == "ec2")

    @property
    def large_changes_by_then(self) -> int:
        """Changing calls of the large region until then."""
        changes = (at for at, call in self.calls if (call.region, call.action) == (_LARGE, MODIFY))
        return sum(at < self._small_done_at for at in changes)

    @property
    def _small_done_at(self) -> float:
        # The last call of a region is the read that shows its last change.
        return max(at for at, call in self.calls if (call.region, call.action) == (_SMALL, READ))


def remediation(effort: Effort) -> list[Figure]:
    """Return the figures of one region of many images, of the same beside a small region, and of many accounts."""
    images = 110 if effort.small else 500
    accounts = 10 if effort.small else 100
    runs = effort.paced_runs
    both = {_LARGE: images, _SMALL: _SMALL_IMAGES}
    return [
        *_one_region(effort, images, _applies(_one_account({_LARGE: images}), runs)),
        *_two_regions(
            effort,
            images,
            _applies(_one_account({_SMALL: _SMALL_IMAGES}), runs),
            _applies(_one_account(both), runs),
        ),
        *_many_accounts(effort, accounts, _applies(_organization(accounts), runs, _OF_ORGANIZATION, _BY_ROLE)),
    ]


def _one_region(effort: Effort, images: int, runs: list[_Applied]) -> list[Figure]:
    case = f"apply to {images:,} images, 1 region, 30 ms, bucket 100 + 20/s, changes 100 + 5/s"
    cpu = [1000 * one.usage.cpu_seconds / images for one in runs]
    reads_throttled = [one.throttled(READ) for one in runs]
    return [
        *_correctness(case, images, runs),
        figure(case, "amiguard: other calls", (one.other_calls for one in runs)),
        *_pace(case, effort, images, runs),
        figure(case, "amiguard: reads throttled", reads_throttled, "%", digits=2),
        figure(case, "amiguard: CPU", (one.usage.cpu_seconds for one in runs), "s", digits=2),
        figure(case, "amiguard: CPU a change", cpu, "ms", digits=1),
        figure(case, "amiguard: peak memory", (one.usage.peak_mib for one in runs), "MiB"),
    ]


def _two_regions(effort: Effort, images: int, alone: list[_Applied], beside: list[_Applied]) -> list[Figure]:
    case = f"apply to 1 region of {images:,} images beside one of {_SMALL_IMAGES}, the same"
    times = [one.small_done_after for one in beside]
    times_alone = [one.small_done_after for one in alone]
    later = [with_large - without for with_large, without in zip(times, times_alone, strict=True)]
    shares = [100 * one.large_changes_by_then / images for one in beside]
    return [
        *_correctness(case, images + _SMALL_IMAGES, beside),
        *_pace(case, effort, images, beside),
        figure(case, "amiguard: small region alone is done after", times_alone, "s", digits=2),
        figure(case, "amiguard: small region is done after", times, "s", digits=2),
        figure(case, "amiguard: so much later than alone", later, "s", effort.goal("<=", 1), digits=2),
        figure(case, "amiguard: changed of the large region by then", shares, "%", effort.goal("<", 10), digits=1),
    ]


def _many_accounts(effort: Effort, accounts: int, runs: list[_Applied]) -> list[Figure]:
    images = accounts * len(_REGIONS)
    case = f"apply to {accounts:,} accounts, 1 image in each of {len(_REGIONS)} regions, the same"
    cpu = [1000 * one.usage.cpu_seconds / images for one in runs]
    return [
        *_correctness(case, images, runs),
        figure(case, "amiguard: start to end", (one.usage.wall_seconds for one in runs), "s", digits=1),
        figure(case, "amiguard: CPU", (one.usage.cpu_seconds for one in runs), "s", digits=2),
        figure(case, "amiguard: CPU a target", cpu, "ms", digits=1),
        figure(case, "amiguard: peak memory", (one.usage.peak_mib for one in runs), "MiB", effort.goal("<", 200)),
    ]


def _correctness(case: str, images: int, runs: list[_Applied]) -> list[Figure]:
    """Return what must be right before any time counts: every image as planned, each by one call between two reads."""
    none, checked = Target("=", 0), runs[0].stats["signatures_checked"]
    refused = [one.stats["signature_failures"] for one in runs]
    changes, reads = ([one.served(action) for one in runs] for action in (MODIFY, READ))
    return [
        figure(case, f"amiguard: images not as planned, of {images:,}", (one.wrong for one in runs), target=none),
        figure(case, f"amiguard: signatures refused, of {checked:,} checked", refused, target=none),
        figure(case, "amiguard: changing calls", changes, target=Target("=", images)),
        figure(case, "amiguard: permission reads", reads, target=Target("=", 2 * images)),
    ]


def _pace(case: str, effort: Effort, images: int, runs: list[_Applied]) -> list[Figure]:
    bucket = DOCUMENTED[MODIFY]
    floor = (images - bucket.capacity) / bucket.refill
    wall = [one.usage.wall_seconds for one in runs]
    ratios = [one / floor for one in wall]
    throttled = [one.throttled(MODIFY) for one in runs]
    return [
        figure(case, f"amiguard: start to end, floor {floor:g} s", wall, "s", digits=1),
        figure(case, "amiguard: the same over the floor", ratios, "times", effort.goal("<=", 1.1), digits=3),
        figure(case, "amiguard: changing calls throttled", throttled, "%", effort.goal("<", 1), digits=2),
    ]


def _one_account(sizes: Mapping[str, int]) -> Estate:
    """Return an account with so many images in each region."""
    return Estate(
        {ACCOUNT: FakeAccount({region: _region(region, sizes.get(region, 0)) for region in (_LARGE, _SMALL)})}
    )


def _organization(accounts: int) -> Estate:
    """Return an organization with one image in each region of each account."""
    account_ids = [f"{int(ACCOUNT) + number:012}" for number in range(accounts)]
    roles = {"Audit": FakeRole(), "Change": FakeRole()}
    regions = {region: _region(region, 1) for region in _REGIONS}
    return Estate(
        {account_id: FakeAccount(regions, roles) for account_id in account_ids},
        FakeOrganization("o-abcdefghij", ACCOUNT, members=frozenset(account_ids)),
    )


def _applies(
    estate: Estate, runs: int, plan_options: Sequence[str] = (), apply_options: Sequence[str] = ()
) -> list[_Applied]:
    """Plan once, and apply the plan again and again to the estate as it was."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.json"
        # A plan names no endpoint. The fake that it is made with neither waits nor throttles.
        with FakeEc2(estate, verify_every=_SIGNATURES) as fake:
            options = (*_TRUST, *plan_options, "--read-bucket", "none", "--quiet")
            _run(("plan", *options, "--output", str(plan)), fake, Path(folder))
        return [_apply(estate, plan, apply_options) for _ in range(runs)]


def _apply(estate: Estate, plan: Path, options: Sequence[str]) -> _Applied:
    """Apply the plan in a home of its own: the state folder of an earlier run would say that all is done."""
    # The fake is on a thread of this process, which only waits meanwhile, so that the images can be looked at.
    with (
        FakeEc2(estate, latency=_LATENCY, bucket=DOCUMENTED, verify_every=_SIGNATURES) as fake,
        tempfile.TemporaryDirectory() as folder,
    ):
        usage = _run(("apply", str(plan), *_TRUST, *options, "--yes", "--force"), fake, Path(folder))
        wrong = sum(
            not _is_as_planned(image, fake.image(account_id, region, image.id))
            for account_id, account in estate.accounts.items()
            for region, there in account.regions.items()
            for image in there.images.values()
        )
        calls = tuple(zip(fake.stats.recent_at, fake.stats.recent, strict=True))
        return _Applied(usage, fake.stats.as_json(), wrong, calls)


def _run(arguments: Sequence[str], fake: FakeEc2, folder: Path) -> Usage:
    return measure([AMIGUARD, *arguments], folder, surroundings(fake.endpoint_url, folder), expected=_ENDINGS)


def _is_as_planned(before: FakeImage, after: FakeImage | None) -> bool:
    trusted = {account_grant(account_id) for account_id in _TRUSTED}
    return after is not None and len(after.grants) == 1 and set(after.grants) == trusted & set(before.grants)


def _region(region: str, count: int) -> FakeRegion:
    first = REGION_NAMES.index(region) << 32
    images = (FakeImage(f"ami-{first + n:017x}", f"golden-{n}", _grants(n)) for n in range(count))
    return FakeRegion(by_id(*images))


def _grants(number: int) -> tuple[Grant, ...]:
    """Return one trusted grant, and untrusted ones of which every image has a few and some have every kind."""
    strangers = [account_grant(f"{800_000_000_000 + number % 40 + step}") for step in range(1 + number % 3)]
    if number % 10 == 0:
        strangers.append(everyone_grant())
    if number % 10 == 1:
        strangers += [
            organization_grant(_FOREIGN.format("organization")),
            unit_grant(_FOREIGN.format("ou") + "/ou-ab12-cdefghij"),
        ]
    return account_grant(_TRUSTED[number % len(_TRUSTED)]), *strangers
