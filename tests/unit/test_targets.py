"""Which regions are audited."""

import asyncio
from collections.abc import Callable

import pytest
from lxml import etree

from amiguard.aws.ec2_xml import MalformedReplyError
from amiguard.aws.errors import ApiError
from amiguard.aws.images import ImageQuery
from amiguard.aws.pacing import Pacer, TokenBucket
from amiguard.aws.targets import Ec2Access, Ec2AccountReader, refuse_disabled_regions, refuse_unknown_regions
from amiguard.core.errors import TargetsError
from amiguard.core.image import Unreadable
from amiguard.core.organization import NoOrganization, OrganizationView
from amiguard.core.ports import OpenedAccount

ACCOUNT = "123456789012"
REGIONS = (
    "<DescribeRegionsResponse><regionInfo>"
    "<item><regionName>us-east-1</regionName><optInStatus>opt-in-not-required</optInStatus></item>"
    "<item><regionName>eu-south-1</regionName><optInStatus>opted-in</optInStatus></item>"
    "<item><regionName>af-south-1</regionName><optInStatus>not-opted-in</optInStatus></item>"
    "</regionInfo></DescribeRegionsResponse>"
)


class Client:
    """Answers DescribeRegions."""

    def __init__(self, reply: str | ApiError | Unreadable) -> None:
        self.reply = reply

    async def call(
        self, action: str, parameters: object, parse: Callable[[etree._Element], object], bucket: TokenBucket
    ) -> object:
        assert (action, parameters) == ("DescribeRegions", [("AllRegions", "true")])
        return parse(etree.fromstring(self.reply)) if isinstance(self.reply, str) else self.reply


def reader(reply: str | ApiError | Unreadable, *wanted: str) -> Ec2AccountReader:
    client = Client(reply)
    return Ec2AccountReader(
        ACCOUNT,
        "aws",
        wanted=wanted,
        connect=lambda target: client,  # type: ignore[arg-type, return-value]  # a stub
        access=Ec2Access(Pacer({}), ImageQuery(), 1000),
        organization=no_organization,
    )


async def no_organization() -> OrganizationView:
    return NoOrganization()


def opened(reply: str | ApiError | Unreadable, *wanted: str) -> OpenedAccount:
    account = asyncio.run(reader(reply, *wanted).open())
    assert isinstance(account, OpenedAccount)
    return account


def regions(account: OpenedAccount) -> list[str]:
    return [target.region for target in account.readers]


def test_all_enabled_regions_and_the_others_are_skipped() -> None:
    account = opened(REGIONS)
    assert regions(account) == ["eu-south-1", "us-east-1"]
    assert [(one.target.region, one.status, one.reason) for one in account.skipped] == [
        ("af-south-1", "skipped", "the region is not enabled")
    ]


def test_named_regions_once_each_and_those_that_are_not_enabled_are_skipped() -> None:
    account = opened(REGIONS, "us-east-1", "us-east-1", "af-south-1")
    assert regions(account) == ["us-east-1"]
    assert [one.target.region for one in account.skipped] == ["af-south-1"]


def test_what_is_known_of_an_account_before_it_is_opened() -> None:
    assert [target.region for target in reader(REGIONS).expected] == ["*"]
    named = reader(REGIONS, "us-east-1", "eu-south-1").expected
    assert [target.region for target in named] == ["eu-south-1", "us-east-1"]


@pytest.mark.parametrize("reply", [ApiError("UnauthorizedOperation", ""), Unreadable("no reply in time")])
def test_regions_that_cannot_be_listed(reply: ApiError | Unreadable) -> None:
    problem = asyncio.run(reader(reply).open())
    assert isinstance(problem, Unreadable)
    assert problem.reason.startswith("the regions of the account could not be listed: ")
    account = opened(reply, "us-east-1")
    assert regions(account) == ["us-east-1"]
    assert account.warning is not None


KNOWN = {"us-east-1": "opt-in-not-required", "eu-south-1": "opted-in", "af-south-1": "not-opted-in"}


def refuse(wanted: list[str]) -> None:
    refuse_unknown_regions(wanted, KNOWN)
    refuse_disabled_regions(wanted, KNOWN)


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        ("us-east1", "there is no region 'us-east1'", "did you mean us-east-1?"),
        ("mars", "there is no region 'mars'", "AWS knows: af-south-1, eu-south-1, us-east-1"),
        (
            "af-south-1",
            "the region af-south-1 is not enabled in this account",
            "enable it under Account, AWS Regions; or leave it out",
        ),
    ],
)
def test_wrong_regions(wanted: str, message: str, hint: str) -> None:
    with pytest.raises(TargetsError) as caught:
        refuse([wanted])
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_no_region_at_all_is_a_broken_reply() -> None:
    with pytest.raises(MalformedReplyError, match="no region is listed"):
        opened("<DescribeRegionsResponse><regionInfo/></DescribeRegionsResponse>")
