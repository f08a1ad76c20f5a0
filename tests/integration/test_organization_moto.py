"""The directory against moto: what boto3 sees when it walks the tree is what is read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from amiguard.aws.ec2_query import CallStats
from amiguard.aws.organization import read_account_tags, read_directory
from amiguard.aws.roles import Role, Roles, role_arn
from amiguard.aws.session import AwsSession
from amiguard.core.directory import Directory
from amiguard.core.organization import NoOrganization
from amiguard.demo.server import running_server
from tests.fakes.virtual_time import run_in_virtual_time

READ_AT = datetime(2026, 9, 1, tzinfo=UTC)


def below(directory: Directory, unit_id: str) -> set[str]:
    """The accounts in a unit, and in those nested in it."""
    return {one.account_id for one in directory.accounts.values() if unit_id in one.units}


@pytest.fixture
def endpoint_url() -> Iterator[str]:
    with running_server(["us-east-1"]) as url:
        yield url


@pytest.fixture
def organizations(endpoint_url: str) -> Iterator[Any]:
    client = boto3.client("organizations", region_name="us-east-1", endpoint_url=endpoint_url)
    yield client
    client.close()


def read(endpoint_url: str) -> object:
    session = AwsSession(profile=None, home_region="us-east-1", endpoint_url=endpoint_url, stats=CallStats())
    return run_in_virtual_time(read_directory(session, read_at=READ_AT))[0]


def walked(client: Any, parent_id: str, path: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """By account and unit id the units above, as boto3 finds them."""
    found: dict[str, tuple[str, ...]] = {}
    for page in client.get_paginator("list_accounts_for_parent").paginate(ParentId=parent_id):
        found |= {account["Id"]: path for account in page["Accounts"]}
    for page in client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent_id):
        for unit in page["OrganizationalUnits"]:
            found |= {unit["Id"]: path} | walked(client, unit["Id"], (*path, unit["Id"]))
    return found


def test_the_directory_is_what_boto3_walks(endpoint_url: str, organizations: Any) -> None:
    assert read(endpoint_url) == NoOrganization()

    described = organizations.create_organization(FeatureSet="ALL")["Organization"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    parents = [root]
    for name in ("Workloads", "Production", "Payments"):
        unit = organizations.create_organizational_unit(ParentId=parents[-1], Name=name)["OrganizationalUnit"]
        parents.append(unit["Id"])
    accounts: list[str] = []
    for parent in parents:
        status = organizations.create_account(AccountName=f"in {parent}", Email=f"{len(accounts)}@example.com")
        accounts.append(status["CreateAccountStatus"]["AccountId"])
        if parent != root:
            organizations.move_account(AccountId=accounts[-1], SourceParentId=root, DestinationParentId=parent)
    organizations.tag_resource(ResourceId=accounts[0], Tags=[{"Key": "team", "Value": "platform"}])

    directory = read(endpoint_url)
    assert isinstance(directory, Directory)
    assert (directory.organization_id, directory.management_account_id) == (
        described["Id"],
        described["MasterAccountId"],
    )
    above = {unit_id: unit.above for unit_id, unit in directory.units.items()}
    above |= {account_id: account.units for account_id, account in directory.accounts.items()}
    assert above == walked(organizations, root)
    assert [directory.units[unit_id].name for unit_id in parents[1:]] == ["Workloads", "Production", "Payments"]
    assert {account.state for account in directory.accounts.values()} == {"ACTIVE"}
    assert directory.accounts[accounts[3]].name == f"in {parents[3]}"
    assert below(directory, parents[2]) == {accounts[2], accounts[3]}

    organizations.move_account(AccountId=accounts[3], SourceParentId=parents[3], DestinationParentId=root)
    moved = read(endpoint_url)
    assert isinstance(moved, Directory)
    assert below(moved, parents[2]) == {accounts[2]}

    session = AwsSession(profile=None, home_region="us-east-1", endpoint_url=endpoint_url, stats=CallStats())
    assert run_in_virtual_time(read_account_tags(session, accounts[:2]))[0] == {
        accounts[0]: {"team": "platform"},
        accounts[1]: {},
    }


def test_a_role_of_a_member_leads_into_the_member(endpoint_url: str, organizations: Any) -> None:
    organizations.create_organization(FeatureSet="ALL")
    status = organizations.create_account(AccountName="member", Email="m@example.com", RoleName="AmiguardAudit")
    member = status["CreateAccountStatus"]["AccountId"]
    session = AwsSession(profile=None, home_region="us-east-1", endpoint_url=endpoint_url, stats=CallStats())
    frozen = Roles(session).loader(member, Role(role_arn("aws", member, "AmiguardAudit")))().get_frozen_credentials()
    sts = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=endpoint_url,
        aws_access_key_id=frozen.access_key,
        aws_secret_access_key=frozen.secret_key,
        aws_session_token=frozen.token,
    )
    assert sts.get_caller_identity()["Account"] == member
    sts.close()
