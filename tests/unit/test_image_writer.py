"""The writer's own rules, with a played client: pacing in virtual time, what is made again, and what never is."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from amiguard.aws.botocore_calls import BotocoreClients
from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.image_writer import Ec2ImageWriter
from amiguard.aws.pacing import BucketSize, Pacer
from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import Step
from amiguard.core.grantee import Account, Everyone, Grantee, Organization, OrganizationalUnit, Unrecognized
from amiguard.core.ports import Accepted, NoAnswer, Refused, WriteReply
from amiguard.core.result import Target
from tests.fakes.virtual_time import run_in_virtual_time

TARGET = Target("111122223333", "us-east-1", "aws")
IMAGE = "ami-0123456789abcdef0"
SNAPSHOT = "snap-0123456789abcdef0"
ORGANIZATION = Organization("arn:aws:organizations::1:organization/o-a", "o-a", "1")
UNIT = OrganizationalUnit("arn:aws:organizations::1:ou/o-a/ou-b", "o-a", "1", "ou-b")
REMOVE = Step(remove=(Account("999988887777"),))
DONE = {"ResponseMetadata": {"RequestId": "59dbff89-35bd-4eac-99ed-be587EXAMPLE"}}
BLOCKED, UNBLOCKED = BlockPublicAccess.BLOCK_NEW_SHARING, BlockPublicAccess.UNBLOCKED

Work = Callable[[Ec2ImageWriter], Awaitable[Any]]


def error(code: str, status: int = 400, message: str = "m") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "ModifyImageAttribute")


class Client:
    """Answers with what it is given, and then with success."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.signed_with: list[str] = []
        self.credentials = Credentials("", "")
        self.closed = False

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            self.calls.append((method, parameters))
            self.signed_with.append(self.credentials.get_frozen_credentials().access_key)
            answer = self.answers.pop(0) if self.answers else DONE
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def close(self) -> None:
        self.closed = True

    def connect(self, credentials: Credentials) -> "Client":
        self.credentials = credentials
        return self


def keys(number: int = 0) -> Credentials:
    return Credentials(f"KEY{number}", "secret", "token")


def work_with(
    client: Client,
    work: Work,
    *,
    load: Callable[[], Credentials | None] = keys,
    stats: CallStats | None = None,
    connect: Callable[[Credentials], Any] | None = None,
    **sizes: BucketSize | None,
) -> tuple[Any, float]:
    async def main() -> Any:
        source = CredentialSource(load)
        clients = BotocoreClients(lambda _service, _region, own: (connect or client.connect)(own))
        writer = Ec2ImageWriter(clients, TARGET, source, stats or CallStats(), Pacer(sizes))
        try:
            return await work(writer)
        finally:
            clients.close()

    return run_in_virtual_time(main())


async def modify(writer: Ec2ImageWriter, step: Step = REMOVE, *, dry_run: bool = False) -> WriteReply:
    await writer.wait_for_turn()
    return await writer.modify_launch_permission(IMAGE, step, dry_run=dry_run)


def modified(client: Client, *, work: Work = modify, **how: Any) -> WriteReply:
    reply: WriteReply = work_with(client, work, **how)[0]
    return reply


@pytest.mark.parametrize(
    ("step", "permission"),
    [
        (
            Step(add=(Everyone(), ORGANIZATION)),
            {"Add": [{"Group": "all"}, {"OrganizationArn": ORGANIZATION.arn}]},
        ),
        (
            Step(remove=(UNIT, Account("012345678901"))),
            {"Remove": [{"OrganizationalUnitArn": UNIT.arn}, {"UserId": "012345678901"}]},
        ),
    ],
)
def test_lists_are_explicit_and_name_every_kind_of_grantee(step: Step, permission: dict[str, Any]) -> None:
    client = Client()
    assert work_with(client, lambda writer: modify(writer, step))[0] == Accepted()
    assert client.calls == [
        ("modify_image_attribute", {"ImageId": IMAGE, "LaunchPermission": permission, "DryRun": False})
    ]
    assert client.closed


def test_a_grantee_that_is_not_understood_is_never_sent() -> None:
    client = Client()
    hidden: tuple[Grantee, ...] = (Account("999988887777"), Unrecognized("futureKind=x"))
    for step in (Step(add=hidden), Step(remove=hidden)):
        with pytest.raises(ValueError, match="futureKind=x"):
            work_with(client, lambda writer, step=step: modify(writer, step))  # type: ignore[misc]
    assert not client.calls


async def modify_snapshot(writer: Ec2ImageWriter, step: Step = REMOVE) -> WriteReply:
    await writer.wait_for_snapshot_turn()
    return await writer.modify_create_volume_permission(SNAPSHOT, step)


@pytest.mark.parametrize(
    ("step", "permission"),
    [
        (Step(add=(Everyone(), Account("012345678901"))), {"Add": [{"Group": "all"}, {"UserId": "012345678901"}]}),
        (REMOVE, {"Remove": [{"UserId": "999988887777"}]}),
    ],
)
def test_snapshots_are_changed_by_explicit_lists(step: Step, permission: dict[str, Any]) -> None:
    client = Client()
    assert work_with(client, lambda writer: modify_snapshot(writer, step))[0] == Accepted()
    asked = {"SnapshotId": SNAPSHOT, "Attribute": "createVolumePermission", "CreateVolumePermission": permission}
    assert client.calls == [("modify_snapshot_attribute", {**asked, "DryRun": False})]


@pytest.mark.parametrize("grantee", [ORGANIZATION, UNIT, Unrecognized("futureKind=x")])
def test_what_no_snapshot_is_shared_with_is_never_sent(grantee: Grantee) -> None:
    client = Client()
    for step in (Step(add=(Everyone(), grantee)), Step(remove=(Everyone(), grantee))):
        with pytest.raises(ValueError, match="accounts and everyone only"):
            work_with(client, lambda writer, step=step: modify_snapshot(writer, step))  # type: ignore[misc]
    assert not client.calls


def test_what_snapshots_are_refused_is_not_taken_for_the_switch_of_images() -> None:
    refusal = error("OperationNotPermitted", message="Block public access is on")
    image_reply = modified(Client(refusal), work=lambda writer: modify(writer, Step(add=(Everyone(),))))
    snapshot_reply = modified(Client(refusal), work=lambda writer: modify_snapshot(writer, Step(add=(Everyone(),))))
    assert [reply.blocked_public for reply in (image_reply, snapshot_reply) if isinstance(reply, Refused)] == [
        True,
        False,
    ]


def test_snapshots_have_a_bucket_of_their_own() -> None:
    stats, client = CallStats(), Client()

    async def work(writer: Ec2ImageWriter) -> None:
        for _ in range(200):
            assert await modify(writer) == Accepted()
            assert await modify_snapshot(writer) == Accepted()

    seconds = work_with(client, work, stats=stats)[1]
    assert seconds == pytest.approx((200 - 95) / 4.95, abs=0.5)
    assert stats.calls == {"ModifyImageAttribute": 200, "ModifySnapshotAttribute": 200}


def test_a_throttled_snapshot_is_tried_again_in_its_own_bucket() -> None:
    client = Client(error("RequestLimitExceeded", 503))
    reply, seconds = work_with(client, modify_snapshot, ModifySnapshotAttribute=BucketSize(1, 0.5))
    assert reply == Accepted()
    assert seconds > 2


def test_five_hundred_images_take_as_long_as_the_documented_bucket_wants() -> None:
    stats, client = CallStats(), Client()

    async def work(writer: Ec2ImageWriter) -> None:
        for _ in range(500):
            assert await modify(writer) == Accepted()

    seconds = work_with(client, work, stats=stats)[1]
    assert (500 - 100) / 5 < seconds < 1.1 * (500 - 100) / 5
    assert seconds == pytest.approx((500 - 95) / 4.95, abs=0.5)
    assert stats.calls == {"ModifyImageAttribute": 500}


def test_throttled_calls_are_made_again_until_they_are_served_and_slow_the_bucket_down() -> None:
    stats = CallStats()
    client = Client(*[error("RequestLimitExceeded", 503)] * 40, *[error("Throttling")] * 10)

    reply, seconds = work_with(client, modify, stats=stats)

    assert reply == Accepted()
    assert stats.calls == {"ModifyImageAttribute": 51}
    assert stats.throttled == 50
    # Each slows the bucket down; time makes it faster again.
    assert 50 / 4.95 * 5 < seconds <= 5 * 50


def test_switches_have_a_bucket_of_their_own_of_one_call_in_ten_seconds() -> None:
    client = Client()

    async def work(writer: Ec2ImageWriter) -> list[WriteReply]:
        return [
            await modify(writer),
            await writer.set_block_public_access(BLOCKED),
            await writer.set_block_public_access(UNBLOCKED),
            await writer.set_block_public_access(BLOCKED),
        ]

    replies, seconds = work_with(client, work)

    assert replies == [Accepted()] * 4
    assert seconds == pytest.approx(1 / 0.099, abs=0.01)
    assert client.calls[1:] == [
        ("enable_image_block_public_access", {"ImageBlockPublicAccessState": "block-new-sharing", "DryRun": False}),
        ("disable_image_block_public_access", {"DryRun": False}),
        ("enable_image_block_public_access", {"ImageBlockPublicAccessState": "block-new-sharing", "DryRun": False}),
    ]


def test_a_throttled_switch_does_not_become_faster_than_aws_documents() -> None:
    client = Client(*[error("RequestLimitExceeded", 503)] * 5)
    reply, seconds = work_with(client, lambda writer: writer.set_block_public_access(BLOCKED))
    assert reply == Accepted()
    assert seconds == pytest.approx(5 / 0.099, abs=0.1)


@pytest.mark.parametrize(
    "answer",
    [
        error("InternalError", 500),
        error("Unavailable", 503),
        error("RequestTimeout", 400),
        error("502", 502),
        error("403", 403, "Forbidden"),
        error("", 400),
        ReadTimeoutError(endpoint_url="http://x"),
        EndpointConnectionError(endpoint_url="http://x"),
        ResponseParserError("not XML"),
        KeyError("Error"),
        {},
        {"ResponseMetadata": {"HTTPStatusCode": 200}},
    ],
    ids=repr,
)
def test_without_a_usable_reply_nothing_is_made_again(answer: Any) -> None:
    client = Client(answer)
    assert isinstance(modified(client), NoAnswer)
    assert len(client.calls) == 1


def test_a_reason_has_an_end() -> None:
    reply = modified(Client(error("InternalError", 500, "x" * 10_000)))
    assert isinstance(reply, NoAnswer)
    assert len(reply.reason) == 300


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            error("UnauthorizedOperation", 403),
            Refused("not permitted: ec2:ModifyImageAttribute", "grant ec2:ModifyImageAttribute to the caller"),
        ),
        (
            error("InvalidAMIID.NotFound"),
            Refused("EC2 does not know the image: it is gone, or in another region"),
        ),
        (error("DryRunOperation", 412), Refused("DryRunOperation: m")),
    ],
)
def test_awss_word_is_final(answer: ClientError, expected: Refused) -> None:
    client = Client(answer)
    assert modified(client) == expected
    assert len(client.calls) == 1


def test_a_dry_run_succeeds_by_an_error_and_by_nothing_else() -> None:
    def dry(answer: Any) -> WriteReply:
        client = Client(answer)
        reply: WriteReply = work_with(client, lambda writer: modify(writer, dry_run=True))[0]
        assert client.calls[0][1]["DryRun"] is True
        return reply

    assert dry(error("DryRunOperation", 412)) == Accepted()
    assert isinstance(dry(error("UnauthorizedOperation", 403)), Refused)
    assert dry(DONE) == NoAnswer("the dry run was answered as if the change had been made: read it back")


@pytest.mark.parametrize("said", ["unblocked", "something new"])
def test_a_switch_that_stands_otherwise_than_asked_is_to_be_read_back(said: str) -> None:
    client = Client({**DONE, "ImageBlockPublicAccessState": said})
    reply, _ = work_with(client, lambda writer: writer.set_block_public_access(BLOCKED))
    assert reply == NoAnswer(f"EC2 says that the state is {said}")


def numbered(most: int) -> Callable[[], Credentials]:
    """Credentials that are others each time they are loaded, `most` of them."""
    numbers: Iterator[int] = iter(range(most))
    return lambda: keys(next(numbers))


def test_credentials_that_expire_are_renewed_once() -> None:
    client = Client(error("RequestExpired"))
    assert modified(client, load=numbered(2)) == Accepted()
    assert client.signed_with == ["KEY0", "KEY1"]

    client = Client(error("ExpiredToken"), error("ExpiredToken"))
    reply = modified(client, load=numbered(9))
    assert isinstance(reply, Refused)
    assert reply.reason == "the credentials have expired"
    assert client.signed_with == ["KEY0", "KEY1"]


def test_credentials_that_cannot_be_renewed_or_had_are_a_refusal() -> None:
    client = Client(error("ExpiredToken"))
    reply = modified(client)
    assert isinstance(reply, Refused)
    assert reply.reason == "the credentials have expired"
    assert len(client.calls) == 1

    client = Client()
    assert modified(client, load=lambda: None) == Refused("no AWS credentials were found")
    assert not client.calls


def test_credentials_that_botocore_renews_sign_the_next_call() -> None:
    class Renewing(Credentials):  # type: ignore[misc]  # botocore has no types
        def __init__(self) -> None:
            super().__init__("KEY", "secret")
            self.frozen = 0

        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            self.frozen += 1
            return ReadOnlyCredentials(f"KEY{self.frozen}", "secret", None)

    renewing, client = Renewing(), Client()

    async def work(writer: Ec2ImageWriter) -> None:
        for _ in range(7):
            await modify(writer)

    # A call in two seconds: each time it is for botocore to say whether the credentials are still good.
    work_with(client, work, load=lambda: renewing, ModifyImageAttribute=BucketSize(1, 0.5))
    assert client.signed_with == [f"KEY{number}" for number in range(1, 8)]


def test_a_client_that_cannot_be_made_is_a_refusal_that_counts_no_call() -> None:
    def connect(credentials: Credentials) -> Any:
        raise ValueError("Invalid endpoint: nonsense")

    stats = CallStats()
    reply = modified(Client(), connect=connect, stats=stats)
    assert isinstance(reply, Refused)
    assert reply.hint is not None
    assert not stats.calls


def test_every_error_of_botocore_is_an_answer() -> None:
    class OddError(BotoCoreError):  # type: ignore[misc]  # botocore has no types
        fmt = "something odd"

    assert modified(Client(OddError())) == NoAnswer("no usable reply came: OddError: something odd")
