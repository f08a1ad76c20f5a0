"""Usage reports of a played EC2."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from amiguard.aws.evidence.reader import Ec2EvidenceReader
from amiguard.core.evidence import Usage, UsageEntry
from amiguard.core.image import Unreadable
from tests.fakes.played_aws import BEGIN, PlayedAws, listed, pages
from tests.fakes.virtual_time import run_in_virtual_time

IMAGE, OTHER = "ami-0123456789abcdef0", "ami-0123456789abcdef1"
STRANGER = "999988887777"
TYPES = ("ec2:Instance", "ec2:LaunchTemplate", "imagebuilder:ContainerRecipe", "imagebuilder:ImageRecipe")
CREATE, REPORTS, ENTRIES = (
    "CreateImageUsageReport",
    "DescribeImageUsageReports",
    "DescribeImageUsageReportEntries",
)


@dataclass
class Made:
    """A report in the played EC2; its states come one a look, and the last one stays."""

    image_id: str
    states: Sequence[str | None]
    age: float = 0
    types: tuple[str, ...] = TYPES
    accounts: tuple[str, ...] = ()
    depth: object = 10_000
    reason: str = ""
    entries: list[tuple[str, str, int]] = field(default_factory=lambda: [(STRANGER, "ec2:Instance", 14)])

    def state(self) -> str | None:
        state, *left = self.states
        self.states = left or [state]
        return state


@dataclass
class World:
    """EC2's usage reports."""

    reports: dict[str, Made] = field(default_factory=dict)
    following: Callable[[str], Made] = lambda image_id: Made(image_id, ["pending", "available"])
    aws: PlayedAws = field(default_factory=PlayedAws)

    def __post_init__(self) -> None:
        self.aws.answers = {CREATE: self.create, REPORTS: self.describe, ENTRIES: self.entries}

    def create(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        report_id = f"amiur-{len(self.reports)}"
        self.reports[report_id] = self.following(parameters["ImageId"])
        return {"ReportId": report_id}

    def describe(self, query: Mapping[str, str]) -> dict[str, Any]:
        images, ids = listed(query, "ImageId"), listed(query, "ReportId")
        assert len(images) <= 200
        assert len(ids) <= 200
        found = [
            {
                "reportId": report_id,
                "imageId": made.image_id,
                "state": state,
                "stateReason": made.reason or None,
                "creationTime": BEGIN - timedelta(seconds=made.age),
                "resourceTypeSet": [_listed_type(one, made.depth) for one in made.types],
                "accountIdSet": list(made.accounts),
            }
            for report_id, made in self.reports.items()
            if (made.image_id in images or report_id in ids) and (state := made.state()) is not None
        ]
        return {"imageUsageReportSet": found, "nextToken": None}

    def entries(self, query: Mapping[str, str]) -> dict[str, Any]:
        made = self.reports[query["ReportId.1"]]
        items = [
            {"reportId": query["ReportId.1"], "accountId": account, "resourceType": kind, "usageCount": count}
            for account, kind, count in made.entries
        ]
        answer: dict[str, Any] = pages(items, 1000, "imageUsageReportEntrySet")(query)
        return answer


def _listed_type(name: str, depth: object) -> dict[str, Any]:
    if name != "ec2:LaunchTemplate" or depth is None:
        return {"resourceType": name}
    options = [{"optionName": "version-depth", "optionValueSet": [depth]}]
    return {"resourceType": name, "resourceTypeOptionSet": options}


Work = Callable[[Ec2EvidenceReader], Awaitable[Any]]


def use(world: World, work: Work, **options: Any) -> tuple[Any, float]:
    async def main() -> Any:
        return await work(world.aws.reader(**options))

    return run_in_virtual_time(main())


def read(world: World, **options: Any) -> Usage | Unreadable:
    usage: Usage | Unreadable = use(world, lambda reader: reader.read_usage(IMAGE), **options)[0]
    return usage


USED = (UsageEntry(STRANGER, "ec2:Instance", 14),)
