"""Which regions are audited."""

import asyncio
from collections.abc import Callable

import pytest
from lxml import etree

from amiguard.aws.errors import ApiError
from amiguard.aws.pacing import Pacer, TokenBucket
from amiguard.aws.session import Caller
from amiguard.aws.targets import Targets, find_targets
from amiguard.core.errors import TargetsError
from amiguard.core.image import Unreadable

CALLER = Caller("123456789012", "arn:aws:iam::123456789012:user/x", "aws")
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


def find(reply: str | ApiError | Unreadable, *wanted: str) -> Targets:
    return asyncio.run(find_targets(Client(reply), CALLER, Pacer({}), wanted))  # type: ignore[arg-type]  # a stub


def regions(targets: Targets) -> list[str]:
    return [target.region for target in targets.audited]


def test_all_enabled_regions_and_the_others_are_skipped() -> None:
    targets = find(REGIONS)
    assert regions(targets) == ["eu-south-1", "us-east-1"]
    assert [(one.target.region, one.status, one.reason) for one in targets.skipped] == [
        ("af-south-1", "skipped", "the region is not enabled")
    ]


def test_named_regions_once_each() -> None:
    targets = find(REGIONS, "us-east-1", "us-east-1")
    assert (regions(targets), targets.skipped) == (["us-east-1"], ())


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
        find(REGIONS, wanted)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize("reply", [ApiError("UnauthorizedOperation", ""), Unreadable("no reply in time")])
def test_regions_that_cannot_be_listed(reply: ApiError | Unreadable) -> None:
    with pytest.raises(TargetsError, match="the regions of the account could not be listed") as caught:
        find(reply)
    assert caught.value.hint is not None
    assert caught.value.hint.endswith("or name the regions with --region")
    targets = find(reply, "us-east-1")
    assert regions(targets) == ["us-east-1"]
    assert targets.warning is not None


def test_no_region_at_all() -> None:
    with pytest.raises(TargetsError, match="there is no region to audit"):
        find("<DescribeRegionsResponse><regionInfo/></DescribeRegionsResponse>")
