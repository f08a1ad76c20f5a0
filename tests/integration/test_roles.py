"""Sessions in other accounts, against the fake: lazy, renewed, chained, and refused with a reason."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials

from amiguard.aws.assume_role import RoleCalls
from amiguard.aws.credentials import CredentialSource, CredentialsUnreadableError
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.organization import read_organization_of
from amiguard.aws.retry import RetryLimits
from amiguard.aws.roles import Role, Roles, SessionOptions, profile_loader, role_arn
from amiguard.aws.session import AwsSession
from amiguard.core.image import Unreadable
from amiguard.core.organization import NoOrganization
from benchmarks.fake_ec2 import (
    AwsError,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeRegion,
    FakeRole,
    Fault,
    HttpReply,
    Rewrite,
    credentials_for,
)
from tests.fakes.virtual_time import run_in_virtual_time

HUB, AUDITED, OTHER = "111122223333", "222233334444", "333344445555"
AT_ONCE = RetryLimits(first_pause=0.0)


def account(**roles: FakeRole) -> FakeAccount:
    return FakeAccount({"us-east-1": FakeRegion()}, roles)


def arn(account_id: str, name: str) -> str:
    return role_arn("aws", account_id, name)


ESTATE = Estate(
    {
        HUB: account(Hub=FakeRole(), Short=FakeRole(lifetime=900)),
        AUDITED: account(
            Audit=FakeRole(),
            Guarded=FakeRole(external_id="s3cret"),
            ForOthers=FakeRole(trusts=frozenset({OTHER})),
            Short=FakeRole(lifetime=900),
            Expired=FakeRole(lifetime=-60),
            Astray=FakeRole(leads_to=OTHER),
            AnHour=FakeRole(longest=3600),
        ),
        OTHER: account(Hub=FakeRole(trusts=frozenset({AUDITED}))),
    }
)
AUDIT = Role(arn(AUDITED, "Audit"))


@dataclass
class Clock:
    """A clock that tests set."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class World:
    """A fake, and roles that are assumed from its hub account."""

    fake: FakeEc2
    clock: Clock
    session: AwsSession

    def roles(self, **options: Any) -> Roles:
        caller_arn = options.pop("caller_arn", "")
        calls = RoleCalls(self.session.stats, retry=AT_ONCE)
        return Roles(self.session, SessionOptions(**options), caller_arn=caller_arn, calls=calls, now=self.clock)

    @property
    def asked(self) -> list[Mapping[str, str]]:
        """What the AssumeRole calls asked for, oldest first."""
        return [call.parameters for call in self.fake.stats.recent if call.action == "AssumeRole"]

    @property
    def askers(self) -> list[str]:
        return [call.account_id for call in self.fake.stats.recent if call.action == "AssumeRole"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with FakeEc2(ESTATE) as fake:
        for name, value in fake.environment(HUB).items():
            monkeypatch.setenv(name, value)
        session = AwsSession(profile=None, home_region="us-east-1", endpoint_url=fake.endpoint_url, stats=CallStats())
        yield World(fake, Clock(), session)


def refusal(load: Callable[[], Credentials]) -> Unreadable:
    with pytest.raises(CredentialsUnreadableError) as raised:
        load()
    return raised.value.why


def account_of(credentials: Credentials) -> str:
    frozen: ReadOnlyCredentials = credentials.get_frozen_credentials()
    return str(frozen.access_key)[4:16]


@pytest.mark.parametrize("name", ["audit/Amiguard", "/audit/Amiguard"])
def test_role_arns_are_made_from_names_and_taken_as_they_are(name: str) -> None:
    assert role_arn("aws-cn", AUDITED, name) == f"arn:aws-cn:iam::{AUDITED}:role/audit/Amiguard"
    assert role_arn("aws", AUDITED, AUDIT.arn) == AUDIT.arn


def test_nothing_is_asked_before_credentials_are_needed(world: World) -> None:
    load = world.roles().loader(AUDITED, AUDIT)
    source = CredentialSource(load)
    assert not world.fake.stats.calls

    current = asyncio.run(source.current())
    assert isinstance(current, ReadOnlyCredentials)
    assert current.access_key[4:16] == AUDITED
    assert world.fake.stats.calls == {"AssumeRole": 1}
    assert world.session.stats.calls == {"AssumeRole": 1}
    assert world.fake.stats.signature_failures == 0


def test_what_is_sent(world: World) -> None:
    roles = world.roles(
        session_name="audit-42", source_identity="alice", tags=(("team", "security"),), duration_seconds=7200
    )
    roles.loader(AUDITED, Role(arn(AUDITED, "Guarded"), "s3cret"))()
    sent = dict(world.asked[0])
    assert {name: sent[name] for name in sent if name not in {"Action", "Version"}} == {
        "RoleArn": arn(AUDITED, "Guarded"),
        "RoleSessionName": "audit-42",
        "ExternalId": "s3cret",
        "DurationSeconds": "7200",
        "SourceIdentity": "alice",
        "Tags.member.1.Key": "team",
        "Tags.member.1.Value": "security",
    }


def test_by_default_little_is_sent(world: World) -> None:
    world.roles().loader(AUDITED, AUDIT)()
    assert set(world.asked[0]) == {"Action", "Version", "RoleArn", "RoleSessionName", "DurationSeconds"}
    assert world.asked[0]["RoleSessionName"] == "amiguard"


def test_sessions_are_renewed_before_they_expire_and_not_sooner(world: World) -> None:
    credentials = world.roles().loader(AUDITED, Role(arn(AUDITED, "Short")))()
    first = credentials.get_frozen_credentials()
    world.clock.ahead = timedelta(seconds=500)
    assert credentials.get_frozen_credentials() == first
    world.clock.ahead = timedelta(seconds=880)
    assert credentials.get_frozen_credentials() != first
    assert world.fake.stats.calls["AssumeRole"] == 2


def test_a_renewal_that_is_refused_late_is_a_reason(world: World) -> None:
    credentials = world.roles().loader(AUDITED, Role(arn(AUDITED, "Short")))()
    source = CredentialSource(lambda: credentials)
    world.fake.set_faults(Fault(AwsError("AccessDenied", status=403)))
    world.clock.ahead = timedelta(seconds=700)
    assert isinstance(asyncio.run(source.current()), ReadOnlyCredentials)
    world.clock.ahead = timedelta(seconds=880)
    refused = asyncio.run(CredentialSource(lambda: credentials).current())
    assert isinstance(refused, Unreadable)
    assert refused.reason == f"not permitted: sts:AssumeRole on {arn(AUDITED, 'Short')}"


def test_a_chain_is_assumed_in_order_and_the_hub_once(world: World) -> None:
    roles = world.roles(source_identity="alice", duration_seconds=43_200)
    chain = (Role(arn(HUB, "Hub")),)
    for name in ("Audit", "AnHour"):
        assert account_of(roles.loader(AUDITED, Role(arn(AUDITED, name)), chain)()) == AUDITED
    assert [sent["RoleArn"] for sent in world.asked] == [chain[0].arn, AUDIT.arn, arn(AUDITED, "AnHour")]
    assert [sent.get("SourceIdentity") for sent in world.asked] == ["alice", None, None]
    assert [sent["DurationSeconds"] for sent in world.asked] == ["3600", "3600", "3600"]


def test_a_longer_chain(world: World) -> None:
    chain = (AUDIT, Role(arn(OTHER, "Hub")))
    assert account_of(world.roles().loader(AUDITED, AUDIT, chain)()) == AUDITED
    assert world.askers == [HUB, AUDITED, OTHER]


def test_a_hub_is_renewed_too(world: World) -> None:
    roles = world.roles()
    chain = (Role(arn(HUB, "Short")),)
    roles.loader(AUDITED, AUDIT, chain)()
    world.clock.ahead = timedelta(seconds=880)
    roles.loader(AUDITED, AUDIT, chain)()
    assert [sent["RoleArn"] for sent in world.asked] == [chain[0].arn, AUDIT.arn, chain[0].arn, AUDIT.arn]


def test_a_hub_that_refuses_is_not_asked_for_each_account(world: World) -> None:
    roles = world.roles()
    chain = (Role(arn(OTHER, "Hub")),)
    reasons = {refusal(roles.loader(AUDITED, AUDIT, chain)).reason for _ in range(5)}
    assert len(reasons) == 1
    assert chain[0].arn in reasons.pop()
    assert len(world.asked) == 1


def test_a_role_as_caller_limits_the_session_to_an_hour(world: World) -> None:
    arn_of_caller = f"arn:aws:sts::{HUB}:assumed-role/AWSReservedSSO_Audit/alice"
    world.roles(caller_arn=arn_of_caller, duration_seconds=7200).loader(AUDITED, AUDIT)()
    assert world.asked[0]["DurationSeconds"] == "3600"


def test_one_client_serves_all_accounts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    original = AwsSession.client

    def counting(self: AwsSession, service: str, **options: Any) -> Any:
        made.append(service)
        return original(self, service, **options)

    monkeypatch.setattr(AwsSession, "client", counting)
    roles = world.roles()
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: roles.loader(AUDITED, AUDIT)(), range(40)))
    assert {account_of(one) for one in loaded} == {AUDITED}
    assert made == ["sts"]
    assert world.session.stats.calls["AssumeRole"] == 40


@pytest.mark.parametrize(
    ("role", "reason", "hint"),
    [
        (Role(arn(AUDITED, "NoSuch")), "not permitted to arn:aws:iam::111122223333:user/auditor", "the role exists"),
        (Role(arn(AUDITED, "Guarded")), "sts:AssumeRole on arn:aws:iam::222233334444:role/Guarded", "no external id"),
        (Role(arn(AUDITED, "Guarded"), "wrong"), "not permitted", "with this external id"),
        (Role(arn(AUDITED, "ForOthers")), "not permitted", "its trust policy allows sts:AssumeRole"),
        (Role(arn(AUDITED, "Expired")), "had expired when it came", "clock"),
        (Role(arn(AUDITED, "Astray")), "is in account 333344445555, and not in 222233334444", "correct the role"),
        (Role(arn(OTHER, "Hub")), "is in account 333344445555, and not in 222233334444", "correct the role"),
        (Role("arn:aws:iam::222233334444:user/x"), "is not the ARN of a role", "write arn:aws:iam"),
        (Role(AUDIT.arn, "x"), "could not assume arn:aws:iam::222233334444:role/Audit", "configuration"),
    ],
)
def test_what_is_refused_has_a_reason_and_a_hint(world: World, role: Role, reason: str, hint: str) -> None:
    why = refusal(world.roles().loader(AUDITED, role))
    assert reason in why.reason
    assert hint in (why.hint or "")


def test_a_session_that_is_too_long_for_the_role(world: World) -> None:
    why = refusal(world.roles(duration_seconds=7200).loader(AUDITED, Role(arn(AUDITED, "AnHour"))))
    assert "MaxSessionDuration" in why.reason
    assert why.hint == "shorten the session duration, or raise the role's maximum"


@pytest.mark.parametrize(
    ("error", "reason", "hint"),
    [
        (AwsError("ExpiredToken"), "that were to assume", "renew them"),
        (AwsError("RegionDisabledException", status=403), "STS is not active in us-east-1", "activate it"),
        (AwsError("PackedPolicyTooLarge"), "PackedPolicyTooLarge", "shorten the session tags"),
        (AwsError("MalformedPolicyDocument", "bad"), "MalformedPolicyDocument: bad", ""),
        (
            AwsError("AccessDenied", "x is not authorized, with an explicit deny in a service control policy", 403),
            "a service control policy denies sts:AssumeRole",
            "administrator",
        ),
        (
            AwsError("AccessDenied", "User: u is not authorized to perform: sts:TagSession on resource: r", 403),
            "not permitted to u: sts:TagSession on",
            "allows sts:TagSession",
        ),
        (HttpReply(500, b""), "tried 6 times", "network"),
        (HttpReply(200, b"<html></html>"), "the reply was not STS's", ""),
    ],
)
def test_aws_says_no(world: World, error: AwsError | HttpReply, reason: str, hint: str) -> None:
    world.fake.set_faults(Fault(error))
    why = refusal(world.roles().loader(AUDITED, AUDIT))
    assert reason in why.reason
    assert hint in (why.hint or "")


def test_no_network(world: World) -> None:
    session = AwsSession(
        profile=None, home_region="us-east-1", endpoint_url="http://127.0.0.1:1", stats=world.session.stats
    )
    why = refusal(Roles(session, calls=RoleCalls(session.stats, retry=AT_ONCE)).loader(AUDITED, AUDIT))
    assert "the connection to STS failed" in why.reason
    assert "tried 6 times" in why.reason


def test_no_credentials_to_assume_with(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    session = AwsSession(profile=None, home_region="us-east-1", endpoint_url=world.fake.endpoint_url, stats=CallStats())
    assert refusal(Roles(session).loader(AUDITED, AUDIT)).reason == "no AWS credentials were found"


def test_closing_ends_what_waits(world: World) -> None:
    roles = world.roles()
    roles.close()
    assert refusal(roles.loader(AUDITED, AUDIT)).reason == "interrupted before the role was assumed"
    assert not world.fake.stats.calls["AssumeRole"]


def test_the_reason_reaches_who_asked_for_credentials_and_is_not_asked_for_again_at_once(world: World) -> None:
    source = CredentialSource(world.roles().loader(AUDITED, Role(arn(AUDITED, "Guarded"))))

    async def main() -> list[object]:
        first = await source.current()
        await asyncio.sleep(5)
        return [first, await source.current()]

    first, second = run_in_virtual_time(main())[0]
    assert isinstance(first, Unreadable)
    assert "no external id" in (first.hint or "")
    assert first == second
    assert len(world.asked) == 1


def test_credentials_that_aws_calls_expired_are_assumed_anew(world: World) -> None:
    source = CredentialSource(world.roles().loader(AUDITED, AUDIT))

    async def main() -> tuple[object, bool, object]:
        first = await source.current()
        assert isinstance(first, ReadOnlyCredentials)
        return first, await source.renew(first), await source.current()

    first, renewed, second = asyncio.run(main())
    assert renewed
    assert first != second


def test_a_reply_without_keys_is_no_session(world: World) -> None:
    world.fake.set_faults(Fault(Rewrite(lambda body: body.replace(b"AssumedRoleUser", b"Somebody"))))
    assert "lacks 'AssumedRoleUser'" in refusal(world.roles().loader(AUDITED, AUDIT)).reason


def test_the_organization_of_an_assumed_account(world: World) -> None:
    current = world.roles().loader(AUDITED, AUDIT)().get_frozen_credentials()
    assert read_organization_of(world.session, current) == NoOrganization()
    assert [call.account_id for call in world.fake.stats.recent][-1] == AUDITED


def profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *account_ids: str) -> None:
    lines = []
    for account_id in account_ids:
        keys = credentials_for(account_id)
        lines += [
            f"[{account_id}]",
            f"aws_access_key_id={keys.access_key_id}",
            f"aws_secret_access_key={keys.secret_access_key}",
        ]
    file = tmp_path / "credentials"
    file.write_text("\n".join(lines))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))


def test_a_profile_must_lead_to_its_account(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profiles(monkeypatch, tmp_path, AUDITED)
    opened: list[str] = []

    def open_session(profile: str = AUDITED) -> AwsSession:
        opened.append(profile)
        return AwsSession(
            profile=profile, home_region="us-east-1", endpoint_url=world.fake.endpoint_url, stats=world.session.stats
        )

    load = profile_loader(open_session, AUDITED)
    assert not opened
    assert account_of(load()) == AUDITED
    why = refusal(profile_loader(open_session, OTHER))
    assert why.reason == (
        f"the profile's caller arn:aws:iam::{AUDITED}:user/auditor is in account {AUDITED}, and not in {OTHER}"
    )
    missing = refusal(profile_loader(lambda: open_session("nosuch"), OTHER))
    assert "nosuch" in missing.reason
    assert "list-profiles" in (missing.hint or "")
