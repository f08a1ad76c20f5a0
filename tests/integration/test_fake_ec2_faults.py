"""Every fault that the fake EC2 can make, as it arrives at a client."""

import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    AwsError,
    Delay,
    Disconnect,
    DuplicateImages,
    EmptyPage,
    EndlessToken,
    FakeEc2,
    FakeImage,
    Fault,
    HalfBody,
    Hang,
    HttpReply,
    ListedAs,
    MalformedXml,
    Rewrite,
    SlowDrip,
    TruncatedXml,
    Vanish,
    WrongImageId,
    single_account,
)
from tests.integration.raw_client import ACCOUNT, RawClient, Reply, code_of

IMAGES = tuple(FakeImage(f"ami-0000000000000000{number}") for number in range(6))
ESTATE = single_account(*IMAGES, account_id=ACCOUNT)
READ = "DescribeImageAttribute"
TWO_A_PAGE = {"Action": "DescribeImages", "Owner.1": "self", "MaxResults": "2"}

Start = Callable[..., tuple[FakeEc2, RawClient]]


def read_of(image: FakeImage = IMAGES[0]) -> dict[str, str]:
    return {"Action": READ, "Attribute": "launchPermission", "ImageId": image.id}


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a fake with `faults` and connect to it."""
    with ExitStack() as stack:

        def run(*faults: Fault, **options: Any) -> tuple[FakeEc2, RawClient]:
            fake = stack.enter_context(FakeEc2(ESTATE, faults=faults, **options))
            return fake, stack.enter_context(closing(RawClient(fake.endpoint_url)))

        yield run


def page_of(reply: Reply) -> tuple[list[int], str | None]:
    """The numbers of the images of a page, and its token."""
    token = re.search("<nextToken>(.*?)</nextToken>", reply[1])
    return [int(number) for number in re.findall("<imageId>ami-0*([0-9])</imageId>", reply[1])], token and token[1]


def listing(client: RawClient, *, at_most: int = 10) -> list[list[int]]:
    """The image numbers of all pages."""
    pages: list[list[int]] = []
    token = ""
    while len(pages) < at_most:
        numbers, following = page_of(client.ask(TWO_A_PAGE | ({"NextToken": token} if token else {})))
        pages.append(numbers)
        if following is None:
            break
        token = following
    return pages


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        ({}, [1, 1, 1, 1, 1, 1]),
        ({"times": 2}, [1, 1, 0, 0, 0, 0]),
        ({"skip": 3, "times": 1}, [0, 0, 0, 1, 0, 0]),
        ({"every": 3}, [0, 0, 1, 0, 0, 1]),
        ({"every": 2, "times": 2}, [0, 1, 0, 1, 0, 0]),
        ({"image_id": IMAGES[1].id}, [0, 0, 1, 1, 0, 0]),
        ({"times": 1, "per_image": True}, [1, 0, 1, 0, 1, 0]),
        ({"action": "DescribeImages"}, [0, 0, 0, 0, 0, 0]),
        ({"region": "eu-west-1"}, [0, 0, 0, 0, 0, 0]),
        ({"account_id": ACCOUNT}, [1, 1, 1, 1, 1, 1]),
    ],
)
def test_which_calls_a_fault_strikes(start: Start, fault: dict[str, Any], struck: list[int]) -> None:
    fake, client = start(Fault(AwsError("InternalError", status=500), **fault))

    answers = [client.ask(read_of(image))[0] for image in IMAGES[:3] for _ in range(2)]

    assert answers == [500 if strike else 200 for strike in struck]
    assert fake.stats.faults["AwsError"] == sum(struck)


def test_the_first_fault_that_strikes_decides_and_faults_can_be_replaced(start: Start) -> None:
    fake, client = start(Fault(AwsError("First"), times=1), Fault(AwsError("Second"), times=2))

    assert [code_of(client.ask(read_of()))[1] for _ in range(3)] == ["First", "Second", ""]
    fake.set_faults(Fault(AwsError("Third", "<why>")))
    assert "<Message>&lt;why&gt;</Message>" in client.ask(read_of())[1]


def test_errors_are_shaped_by_their_service(start: Start) -> None:
    _, client = start(Fault(AwsError("UnauthorizedOperation", "You may not.", 403)))

    status, body = client.ask(read_of())

    assert status == 403
    assert "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You may not.</Message>" in body


@pytest.mark.parametrize(
    "reply",
    [HttpReply(502, b"<html>bad gateway</html>", "text/html"), HttpReply(200, b"<html>log in"), HttpReply(500)],
)
def test_answers_that_are_not_of_aws(start: Start, reply: HttpReply) -> None:
    _, client = start(Fault(reply, times=1))

    assert client.ask(read_of()) == (reply.status, reply.body.decode())
    assert client.ask(read_of())[0] == 200


def test_bodies_that_are_wrong_in_full_length(start: Start) -> None:
    whole = start()[1].ask(read_of())[1]
    effects = (
        TruncatedXml(),
        MalformedXml(),
        WrongImageId("ami-0ffffffffffffffff"),
        Rewrite(lambda body: body.replace(b"launchPermission", b"kernel")),
    )
    _, client = start(*(Fault(effect, skip=number, times=1) for number, effect in enumerate(effects)))

    truncated, malformed, wrong, rewritten = (client.ask(read_of())[1] for _ in effects)

    assert len(truncated) == len(whole) // 2
    assert malformed.endswith("</mismatch>")
    assert "<imageId>ami-0ffffffffffffffff</imageId>" in wrong
    assert "<kernel/>" in rewritten


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (Disconnect(), ConnectionResetError),
        (Disconnect(reset=False), http.client.RemoteDisconnected),
        (HalfBody(), http.client.IncompleteRead),
    ],
)
def test_connections_that_end_too_early(start: Start, effect: Disconnect | HalfBody, error: type[Exception]) -> None:
    _, client = start(Fault(effect, times=1))

    with pytest.raises(error):
        client.ask(read_of())
    client.close()
    assert client.ask(read_of())[0] == 200


def test_an_answer_that_never_comes(start: Start) -> None:
    fake, client = start(Fault(Hang(), times=1))
    client.connection.timeout = 0.05

    with pytest.raises(TimeoutError):
        client.ask(read_of())

    assert fake.stats.calls[READ] == 1


@pytest.mark.parametrize("effect", [SlowDrip(size=50, interval=0.001), Delay(0.01)])
def test_answers_that_are_late_are_whole(start: Start, effect: SlowDrip | Delay) -> None:
    _, client = start(Fault(effect, times=1))

    assert re.sub("<requestId>.*", "", client.ask(read_of())[1]) == re.sub(
        "<requestId>.*", "", client.ask(read_of())[1]
    )


@pytest.mark.parametrize("acts", [False, True])
@pytest.mark.parametrize("kind", [Disconnect, Hang, AwsError])
def test_faults_before_and_after_what_was_asked_is_done(start: Start, kind: type[Any], *, acts: bool) -> None:
    effect = AwsError("InternalError", status=500, acts=acts) if kind is AwsError else kind(acts=acts)
    fake, client = start(Fault(effect, action="ModifyImageAttribute"))
    client.connection.timeout = 0.1
    change = {"ImageId": IMAGES[0].id, "LaunchPermission.Add.1.UserId": "999988887777"}

    if kind is AwsError:
        assert code_of(client.ask({"Action": "ModifyImageAttribute", **change})) == (500, "InternalError")
    else:
        with pytest.raises((ConnectionResetError, TimeoutError)):
            client.ask({"Action": "ModifyImageAttribute", **change})

    image = fake.image(ACCOUNT, "us-east-1", IMAGES[0].id)
    assert image is not None
    assert len(image.grants) == acts


def test_an_image_that_vanishes(start: Start) -> None:
    _, client = start(Fault(Vanish(), action=READ, image_id=IMAGES[2].id))

    assert listing(client) == [[0, 1], [2, 3], [4, 5]]
    assert code_of(client.ask(read_of(IMAGES[2]))) == (400, "InvalidAMIID.NotFound")
    assert listing(client) == [[0, 1], [3, 4], [5]]


@pytest.mark.parametrize(
    ("fault", "pages"),
    [
        (Fault(EmptyPage(), skip=1, times=1), [[0, 1], [], [2, 3], [4, 5]]),
        (Fault(DuplicateImages(1), times=1), [[0, 1], [1, 2], [3, 4], [5]]),
        (Fault(EndlessToken()), [[0, 1], [2, 3], [4, 5], [], [], []]),
        (Fault(EndlessToken(same=True)), [[0, 1], [2, 3], [4, 5], [4, 5], [4, 5]]),
    ],
)
def test_listings_that_are_odd(start: Start, fault: Fault, pages: list[list[int]]) -> None:
    _, client = start(fault)

    assert listing(client, at_most=len(pages)) == pages


def test_a_listing_that_contradicts_the_attribute(start: Start) -> None:
    _, client = start(Fault(ListedAs(IMAGES[0].id, public=True, state="pending")), Fault(AwsError("Other"), skip=2))

    body = client.ask(TWO_A_PAGE)[1]

    assert (body.count("<isPublic>true"), body.count("<imageState>pending")) == (1, 1)
    assert "<launchPermission/>" in client.ask(read_of())[1]
    assert code_of(client.ask(read_of())) == (400, "Other")
