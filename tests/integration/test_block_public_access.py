"""Image block public access: read and switched over HTTP, in the embedded AWS and in the fake."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.ec2.responses import EC2Response

from amiguard.aws.image_writer import Ec2ImageWriter
from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.edit import Step
from amiguard.core.grantee import Everyone
from amiguard.core.image import Unreadable
from amiguard.core.ports import Accepted, NoAnswer, Refused, WriteReply
from amiguard.demo.server import running_server
from benchmarks.fake_ec2 import (
    AwsError,
    Disconnect,
    Effect,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeRegion,
    Fault,
    Rewrite,
    environment,
    single_account,
)
from tests.conftest import scrubbed_environment
from tests.fakes.aws_cli import run_aws_cli
from tests.integration.aws_reader import ACCOUNT, REGION, Reading, open_reading, read
from tests.integration.aws_writer import modify, open_writer, write
from tests.integration.moto_clients import opened

BLOCKED, UNBLOCKED = BlockPublicAccess.BLOCK_NEW_SHARING, BlockPublicAccess.UNBLOCKED
PRIVATE = FakeImage("ami-0123456789abcdef0")
ESTATE = single_account(PRIVATE)


def by_policy(state: BlockPublicAccess) -> Estate:
    held = FakeRegion(block_public_access=state.value, block_public_access_managed_by="declarative-policy")
    return Estate({ACCOUNT: FakeAccount({REGION: held})})


async def state(reading: Reading) -> BlockPublicAccessState | Unreadable:
    return await reading.reader.read_block_public_access()


@pytest.fixture
def moto() -> Iterator[str]:
    with running_server([REGION]) as url:
        yield url


@pytest.fixture
def fake() -> Iterator[str]:
    with FakeEc2(ESTATE) as running:
        yield running.endpoint_url
        assert running.stats.signature_failures == 0


def aws_ec2(url: str, tmp_path: Path, *arguments: str) -> tuple[int, Any]:
    """The AWS CLI's exit code and answer."""
    return run_aws_cli("ec2", *arguments, environment=scrubbed_environment(tmp_path, environment(url, ACCOUNT)))


@pytest.mark.parametrize("server", ["moto", "fake"])
def test_it_is_switched_on_and_off_and_dry_runs_switch_nothing(server: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(server)

    async def main() -> list[object]:
        async with open_reading(url) as reading, open_writer(url) as writer:
            seen: list[object] = [await state(reading)]
            for wanted in (BLOCKED, BLOCKED, UNBLOCKED):
                for dry_run in (True, False):
                    seen.append(await writer.set_block_public_access(wanted, dry_run=dry_run))
                    seen.append(await state(reading))
            return seen

    on, off = BlockPublicAccessState(BLOCKED, "account"), BlockPublicAccessState(UNBLOCKED, "account")
    assert asyncio.run(main()) == [
        off,
        *(Accepted(), off),
        *(Accepted(), on),
        *(Accepted(), on),
        *(Accepted(), on),
        *(Accepted(), on),
        *(Accepted(), off),
    ]


@pytest.mark.parametrize("server", ["moto", "fake"])
def test_the_aws_cli_sees_the_same(server: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = request.getfixturevalue(server)
    ask = "get-image-block-public-access-state"
    assert aws_ec2(url, tmp_path, ask) == (0, {"ImageBlockPublicAccessState": "unblocked", "ManagedBy": "account"})

    assert write(url, lambda writer: writer.set_block_public_access(BLOCKED)) == Accepted()
    now = {"ImageBlockPublicAccessState": "block-new-sharing", "ManagedBy": "account"}
    assert aws_ec2(url, tmp_path, ask) == (0, now)

    switch = ("disable-image-block-public-access",)
    assert "DryRunOperation" in aws_ec2(url, tmp_path, *switch, "--dry-run")[1]
    assert aws_ec2(url, tmp_path, *switch) == (0, {"ImageBlockPublicAccessState": "unblocked"})
    assert aws_ec2(url, tmp_path, ask)[1]["ImageBlockPublicAccessState"] == "unblocked"


@pytest.mark.parametrize("server", ["moto", "fake"])
def test_an_image_cannot_be_made_public_while_that_is_blocked(server: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(server)

    async def work(writer: Ec2ImageWriter) -> list[WriteReply]:
        image_id = PRIVATE.id
        if server == "moto":
            with opened(url, "ec2", REGION) as client:
                image_id = client.register_image(Name="golden")["ImageId"]
        public = Step(add=(Everyone(),))
        return [
            await writer.set_block_public_access(BLOCKED),
            await modify(writer, image_id, public),
            await writer.set_block_public_access(UNBLOCKED),
            await modify(writer, image_id, public),
        ]

    blocked, refused, unblocked, made = write(url, work)
    assert blocked == unblocked == made == Accepted()
    assert refused == Refused(
        "image block public access is on: EC2 does not let the image be made public",
        "switch it off in this region first (DisableImageBlockPublicAccess); that can take 10 minutes",
        blocked_public=True,
    )


def test_moto_is_left_as_it_was() -> None:
    before = dict(vars(EC2Response))
    with running_server([REGION]):
        assert set(vars(EC2Response)) - set(before) >= {
            "disable_image_block_public_access",
            "enable_image_block_public_access",
            "get_image_block_public_access_state",
            "modify_image_attribute",
        }
    assert dict(vars(EC2Response)) == before


@pytest.mark.parametrize("held", [BLOCKED, UNBLOCKED])
def test_a_declarative_policy_holds_the_switch(held: BlockPublicAccess) -> None:
    other = UNBLOCKED if held is BLOCKED else BLOCKED
    with FakeEc2(by_policy(held)) as fake:
        found = read(fake, state)
        assert found == BlockPublicAccessState(held, "declarative-policy")
        assert found.by_declarative_policy
        reply = write(fake.endpoint_url, lambda writer: writer.set_block_public_access(other))
        assert isinstance(reply, Refused)
        assert reply.reason.startswith("a declarative policy of the organization does not allow it: ")
        assert fake.block_public_access(ACCOUNT, REGION) == held


@pytest.mark.parametrize(
    ("effect", "done"),
    [
        (AwsError("InternalError", status=500), False),
        (AwsError("InternalError", status=500, acts=True), True),
        (Disconnect(acts=False), False),
        (Disconnect(), True),
    ],
    ids=repr,
)
def test_a_switch_without_a_usable_reply_is_not_made_again(effect: Effect, *, done: bool) -> None:
    with FakeEc2(ESTATE, faults=[Fault(effect)]) as fake:
        assert isinstance(write(fake.endpoint_url, lambda writer: writer.set_block_public_access(BLOCKED)), NoAnswer)
        assert fake.stats.calls == {"EnableImageBlockPublicAccess": 1}
        assert fake.block_public_access(ACCOUNT, REGION) == (BLOCKED if done else UNBLOCKED)


def test_a_switch_that_is_not_permitted() -> None:
    with FakeEc2(ESTATE, faults=[Fault(AwsError("UnauthorizedOperation", status=403))]) as fake:
        for dry_run in (True, False):
            reply = write(fake.endpoint_url, lambda w, d=dry_run: w.set_block_public_access(UNBLOCKED, dry_run=d))  # type: ignore[misc]
            assert isinstance(reply, Refused)
            assert reply.reason == "not permitted: ec2:DisableImageBlockPublicAccess"


def test_a_state_that_is_not_permitted_to_be_read() -> None:
    with FakeEc2(ESTATE, faults=[Fault(AwsError("UnauthorizedOperation", status=403))]) as fake:
        assert read(fake, state) == Unreadable(
            "not permitted: ec2:GetImageBlockPublicAccessState",
            "grant ec2:GetImageBlockPublicAccessState to the caller",
        )


def test_a_throttled_or_broken_reading_is_asked_for_again() -> None:
    faults = [Fault(AwsError("RequestLimitExceeded", status=503), times=1), Fault(Disconnect(), times=2)]
    with FakeEc2(by_policy(BLOCKED), faults=faults) as fake:
        assert read(fake, state) == BlockPublicAccessState(BLOCKED, "declarative-policy")


def test_a_reply_of_before_declarative_policies_is_the_accounts_own() -> None:
    without = Rewrite(lambda body: body.replace(b"<managedBy>account</managedBy>", b""))
    with FakeEc2(ESTATE, faults=[Fault(without)]) as fake:
        assert read(fake, state) == BlockPublicAccessState(UNBLOCKED, "account")


@pytest.mark.parametrize("other", [b"block-everything", b"", b"<b/>"])
def test_a_state_that_is_not_known_is_unreadable_and_never_unblocked(other: bytes) -> None:
    with FakeEc2(ESTATE, faults=[Fault(Rewrite(lambda body: body.replace(b"unblocked", other)))]) as fake:
        reply = read(fake, state)
        assert isinstance(reply, Unreadable)
        assert "the state of image block public access is" in reply.reason
        assert reply.reason.endswith("(tried 6 times)")
