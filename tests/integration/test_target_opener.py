"""The way into the targets of a remediation: credentials, organization, reader and writer, each asked for once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import pytest
from botocore.httpsession import get_cert_path

from amiguard.aws.call_book import CallBook
from amiguard.aws.estate import Estate, OrganizationKnowledge
from amiguard.aws.http import open_http
from amiguard.aws.images import ImageQuery
from amiguard.aws.pacing import Pacer
from amiguard.aws.roles import Roles
from amiguard.aws.session import AwsSession, Caller
from amiguard.aws.target_opener import Ec2TargetOpener
from amiguard.aws.targets import Ec2Access
from amiguard.core.edit import Step
from amiguard.core.grantee import Account
from amiguard.core.image import LaunchPermission, Unreadable
from amiguard.core.organization import MembersUnread, NoOrganization, OwnOrganization
from amiguard.core.ports import Accepted, OpenedTarget, WriteReply
from amiguard.core.result import Target
from amiguard.core.selection import Access, AuditedAccount
from benchmarks.fake_ec2 import Estate as FakeEstate
from benchmarks.fake_ec2 import (
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeOrganization,
    FakeRegion,
    FakeRole,
    account_grant,
    by_id,
)

HUB, MEMBER, LOCKED, ELSEWHERE = "111122223333", "222233334444", "333344445555", "444455556666"
STRANGER = Account("999988887777")
IMAGE = FakeImage("ami-0123456789abcdef0", grants=(account_grant(STRANGER.account_id),))
REGIONS = ("us-east-1", "eu-west-1")
ROLE = "AmiguardRemediation"
_T = TypeVar("_T")


def fake_account(**roles: FakeRole) -> FakeAccount:
    return FakeAccount({region: FakeRegion(by_id(IMAGE)) for region in REGIONS}, roles)


ESTATE = FakeEstate(
    {HUB: fake_account(), MEMBER: fake_account(**{ROLE: FakeRole()}), LOCKED: fake_account()},
    FakeOrganization("o-abcdefghij", HUB, members=frozenset({HUB, MEMBER})),
)


def by_role(account_id: str) -> AuditedAccount:
    role = f"arn:aws:iam::{account_id}:role/{ROLE}"
    return AuditedAccount(account_id, "", Access(role_arn=role), None)


ACCOUNTS = {HUB: AuditedAccount(HUB, "", Access(), None), MEMBER: by_role(MEMBER), LOCKED: by_role(LOCKED)}


@asynccontextmanager
async def opener_of(*, wanted: bool, calls: CallBook) -> AsyncIterator[Ec2TargetOpener]:
    """As the program makes it, from the environment."""
    session = AwsSession(profile=None, home_region=None, endpoint_url=None, stats=calls.total)
    caller = Caller(HUB, f"arn:aws:iam::{HUB}:user/x", "aws")
    own = OwnOrganization("o-abcdefghij", HUB, MembersUnread("not asked")) if wanted else NoOrganization()
    async with open_http(get_cert_path(True), "amiguard/test") as http:
        estate = Estate(
            session,
            caller,
            open_profile=lambda _: session,
            http=http,
            calls=calls,
            roles=Roles(session, caller_arn=caller.arn),
            access=Ec2Access(Pacer({}), ImageQuery(), 1000),
            organizations=OrganizationKnowledge(wanted=wanted, own=own),
        )
        try:
            yield Ec2TargetOpener(estate, ACCOUNTS)
        finally:
            estate.close()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEc2]:
    with FakeEc2(ESTATE) as fake:
        for name, value in fake.environment(HUB, region="eu-west-1").items():
            monkeypatch.setenv(name, value)
        yield fake
        assert fake.stats.signature_failures == 0


def run(work: Callable[[Ec2TargetOpener], Awaitable[_T]], *, wanted: bool = True, calls: CallBook | None = None) -> _T:
    async def main() -> _T:
        async with opener_of(wanted=wanted, calls=calls or CallBook()) as opener:
            return await work(opener)

    return asyncio.run(main())


def target(account_id: str, region: str = REGIONS[0]) -> Target:
    return Target(account_id, region, "aws")


async def unshare(opener: Ec2TargetOpener, where: Target) -> tuple[WriteReply, LaunchPermission]:
    opened = await opener.open(where)
    assert isinstance(opened, OpenedTarget)
    await opened.writer.wait_for_turn()
    reply = await opened.writer.modify_launch_permission(IMAGE.id, Step(remove=(STRANGER,)))
    permission = await opened.reader.read_launch_permission(IMAGE.id)
    assert isinstance(permission, LaunchPermission)
    return reply, permission


def test_each_target_is_changed_in_its_own_account_and_region(fake: FakeEc2) -> None:
    calls = CallBook()
    done = target(MEMBER, REGIONS[1])

    assert run(partial(unshare, where=done), calls=calls) == (Accepted(), LaunchPermission(()))

    for account_id in ESTATE.accounts:
        for region in REGIONS:
            image = fake.image(account_id, region, IMAGE.id)
            assert image is not None
            assert bool(image.grants) is (target(account_id, region) != done)
    assert calls.of(done).calls == {"ModifyImageAttribute": 1, "DescribeImageAttribute": 1}
    assert calls.total.calls["ModifyImageAttribute"] == 1


def test_one_client_changes_all_accounts_of_a_region(fake: FakeEc2, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, str | None]] = []
    original = AwsSession.client

    def counting(self: AwsSession, service: str, *, region: str | None = None, **options: Any) -> Any:
        made.append((service, region))
        return original(self, service, region=region, **options)

    monkeypatch.setattr(AwsSession, "client", counting)
    wanted = [target(account_id, region) for account_id in (HUB, MEMBER) for region in REGIONS]

    async def work(opener: Ec2TargetOpener) -> list[tuple[WriteReply, LaunchPermission]]:
        return await asyncio.gather(*(unshare(opener, where) for where in wanted))

    assert [(reply, permission.grantees) for reply, permission in run(work)] == [(Accepted(), ())] * 4
    assert sorted(one for one in made if one[0] == "ec2") == sorted(("ec2", region) for region in REGIONS)


def test_the_own_account_needs_no_role(fake: FakeEc2) -> None:
    assert run(partial(unshare, where=target(HUB))) == (Accepted(), LaunchPermission(()))
    assert fake.stats.calls == {"ModifyImageAttribute": 1, "DescribeImageAttribute": 1}


def test_an_account_is_opened_once_for_all_its_targets(fake: FakeEc2) -> None:
    async def work(opener: Ec2TargetOpener) -> list[object]:
        return await asyncio.gather(*(opener.open(target(MEMBER, region)) for region in REGIONS))

    opened = run(work)

    assert fake.stats.calls == {"AssumeRole": 1, "DescribeOrganization": 1}
    organizations = [one.organization for one in opened if isinstance(one, OpenedTarget)]
    assert len(organizations) == 2
    assert isinstance(organizations[0], OwnOrganization)
    assert organizations[0].organization_id == "o-abcdefghij"
    assert organizations[1] is organizations[0]


def test_an_organization_that_decides_nothing_is_not_asked_for(fake: FakeEc2) -> None:
    opened = run(lambda opener: opener.open(target(MEMBER)), wanted=False)
    assert isinstance(opened, OpenedTarget)
    assert opened.organization == NoOrganization()
    assert fake.stats.calls == {"AssumeRole": 1}


def test_an_account_that_is_not_among_those_of_the_run(fake: FakeEc2) -> None:
    assert run(lambda opener: opener.open(target(ELSEWHERE))) == Unreadable(
        f"account {ELSEWHERE} is not among the accounts of this run",
        "name it in the targets of the settings, or with --account",
    )
    assert not fake.stats.calls


def test_a_role_that_cannot_be_assumed(fake: FakeEc2) -> None:
    refused = run(lambda opener: opener.open(target(LOCKED)))
    assert isinstance(refused, Unreadable)
    assert f"sts:AssumeRole on arn:aws:iam::{LOCKED}:role/{ROLE}" in refused.reason
    assert refused.hint is not None
    assert fake.stats.calls == {"AssumeRole": 1}


@pytest.mark.usefixtures("fake")
def test_an_endpoint_that_is_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "ec2.example.com")
    refused = run(lambda opener: opener.open(target(MEMBER)))
    assert isinstance(refused, Unreadable)
    assert refused.reason == "the endpoint is not a URL: ec2.example.com"
