"""The embedded AWS starts empty, whatever was in an earlier one of the same process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from amiguard.demo.server import running_server
from tests.integration.moto_clients import ACCOUNT, REGION, opened

ELSEWHERE = "eu-central-1"


@contextmanager
def fresh(*services: tuple[str, str]) -> Iterator[list[Any]]:
    """Clients of an embedded AWS of its own."""
    with running_server([REGION, ELSEWHERE]) as url, ExitStack() as stack:
        yield [stack.enter_context(opened(url, service, region)) for service, region in services]


def test_nothing_outlives_its_server_in_any_region_or_service() -> None:
    needed = ("ec2", REGION), ("ec2", ELSEWHERE), ("organizations", REGION)
    for _ in range(3):
        with fresh(*needed) as (ec2, elsewhere, organizations):
            assert ec2.describe_images(Owners=["self"])["Images"] == []
            assert elsewhere.describe_images(Owners=["self"])["Images"] == []
            assert elsewhere.describe_image_usage_reports()["ImageUsageReports"] == []
            for client in (ec2, elsewhere):
                image_id = client.register_image(Name="left behind")["ImageId"]
                client.create_image_usage_report(ImageId=image_id, ResourceTypes=[{"ResourceType": "ec2:Instance"}])
            organization = organizations.create_organization(FeatureSet="ALL")["Organization"]
            assert organization["MasterAccountId"] == ACCOUNT
