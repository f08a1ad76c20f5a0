"""The estate of the demo as an AWS client sees it, against the estate as it is written down."""

import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from ruamel.yaml import YAML

from amiguard.core.remediation import HOLD_TAG
from amiguard.demo import AUDIT_ROLE, ESTATE, DemoAws, DemoUnavailableError, Image, demo_aws, parties
from amiguard.demo.model import EVERYONE
from amiguard.demo.shared_images import HOSTILE_NAME, MARKETPLACE_IMAGE_NAME, TRAINING_IMAGE_NAME

TODAY = date(2026, 9, 15)
OWNERS = (ESTATE.caller, *(member.key for member in ESTATE.members))

Listing = dict[tuple[str, str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoAws]:
    with demo_aws(today=TODAY) as aws:
        yield aws


@pytest.fixture(scope="module")
def credentials(demo: DemoAws) -> dict[str, dict[str, str]]:
    """Client arguments by account: the caller's keys, and those of a role in each member account."""
    caller = {
        "aws_access_key_id": demo.environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": demo.environment["AWS_SECRET_ACCESS_KEY"],
    }
    members = {member.key: assume(demo, caller, member.key, ESTATE.roles[-1]) for member in ESTATE.members}
    return {ESTATE.caller: caller, **members}


@pytest.fixture(scope="module")
def listing(demo: DemoAws, credentials: dict[str, dict[str, str]]) -> Listing:
    """Every image that EC2 knows, by account and region."""
    found: Listing = {}
    for account in OWNERS:
        for region in ESTATE.regions:
            with closing(client(demo, "ec2", region, credentials[account])) as ec2:
                found[account, region] = ec2.describe_images(IncludeDisabled=True)["Images"]
    return found


@cache
def session() -> Any:
    """One for all tests: it reads the description of a service only once."""
    return boto3.Session()


def client(demo: DemoAws, service: str, region: str, credentials: dict[str, str]) -> Any:
    with demo.environment_applied():
        return session().client(service, region_name=region, endpoint_url=demo.endpoint_url, **credentials)


def assume(demo: DemoAws, caller: dict[str, str], account: str, role: str) -> dict[str, str]:
    with closing(client(demo, "sts", "us-east-1", caller)) as sts:
        role_arn = f"arn:aws:iam::{demo.seeded.ids[account]}:role/{role}"
        reply = sts.assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": reply["AccessKeyId"],
        "aws_secret_access_key": reply["SecretAccessKey"],
        "aws_session_token": reply["SessionToken"],
    }


def test_the_estate_has_the_size_and_the_cases_it_promises() -> None:
    owners = Counter(image.account for image in ESTATE.images)
    assert 110 <= owners.total() <= 130
    assert 85 <= owners[ESTATE.caller] <= 95
    assert all(owners[member.key] >= 10 for member in ESTATE.members)
    assert len({(image.account, image.region, image.name) for image in ESTATE.images}) == owners.total()
    assert sum(not image.grants for image in ESTATE.images) > 0.75 * owners.total()
    assert max(len(image.grants) for image in ESTATE.images) == 40
    granted = {grant.value for image in ESTATE.images for grant in image.grants}
    assert granted >= {
        "{organization}",
        "{Workloads/Production}",
        "{Workloads/Production/Payments}",
        "{payments}",
        parties.STAGING,
        parties.VENDOR,
        parties.CONTRACTOR,
        parties.TRAINEE,
        parties.PARTNER,
        parties.PARTNER_UNIT,
        parties.STRANGER,
        parties.STRANGER_UNIT,
        EVERYONE.value,
    }
    assert sum(image.public for image in ESTATE.images) == 4
    assert all(not image.grants for image in ESTATE.images if image.disabled)


def test_one_image_that_is_shared_with_strangers_is_held() -> None:
    (held,) = (image for image in ESTATE.images if HOLD_TAG in dict(image.tags))
    assert {grant.value for grant in held.grants} >= set(parties.CUSTOMERS)


def test_nothing_blocks_public_access(demo: DemoAws, credentials: dict[str, dict[str, str]]) -> None:
    for account in OWNERS:
        for region in ESTATE.regions:
            with closing(client(demo, "ec2", region, credentials[account])) as ec2:
                reply = ec2.get_image_block_public_access_state()
            assert (reply["ImageBlockPublicAccessState"], reply["ManagedBy"]) == ("unblocked", "account")


def test_each_account_sees_its_own_images_and_no_others(demo: DemoAws, listing: Listing) -> None:
    for (account, region), found in listing.items():
        assert {image["ImageId"]: seen(image) for image in found} == {
            demo.seeded.image_ids[image]: expected(image, demo.seeded.ids[account])
            for image in ESTATE.images_in(account, region)
        }


def seen(image: dict[str, Any]) -> dict[str, Any]:
    return {
        "owner": image["OwnerId"],
        "name": image["Name"],
        "description": image["Description"],
        "tags": [(tag["Key"], tag["Value"]) for tag in image["Tags"]],
        "public": image["Public"],
        "state": image["State"],
    }


def expected(image: Image, owner_id: str) -> dict[str, Any]:
    return {
        "owner": owner_id,
        "name": image.name,
        "description": image.description,
        "tags": list(image.tags),
        "public": image.public,
        "state": "disabled" if image.disabled else "available",
    }


def test_owners_self_lists_the_same_images(
    demo: DemoAws, credentials: dict[str, dict[str, str]], listing: Listing
) -> None:
    for (account, region), found in listing.items():
        with closing(client(demo, "ec2", region, credentials[account])) as ec2:
            own = ec2.describe_images(Owners=["self"], IncludeDisabled=True)["Images"]
        assert {image["ImageId"] for image in own} == {image["ImageId"] for image in found}


def test_every_grant_is_in_place(demo: DemoAws, credentials: dict[str, dict[str, str]]) -> None:
    for account in OWNERS:
        for region in ESTATE.regions:
            with closing(client(demo, "ec2", region, credentials[account])) as ec2:
                for image in ESTATE.images_in(account, region):
                    reply = ec2.describe_image_attribute(
                        ImageId=demo.seeded.image_ids[image], Attribute="launchPermission"
                    )
                    assert reply["LaunchPermissions"] == [grant.resolved(demo.seeded.ids) for grant in image.grants]


def test_the_hostile_name_arrives_unharmed(listing: Listing) -> None:
    names = [image["Name"] for image in listing["platform", "us-east-1"]]
    assert HOSTILE_NAME in names
    assert {"\x9b", "\u202e", "<", "|", "\n"} < set(HOSTILE_NAME)


def test_only_the_regions_of_the_estate_are_enabled(demo: DemoAws, credentials: dict[str, dict[str, str]]) -> None:
    with closing(client(demo, "ec2", "us-east-1", credentials[ESTATE.caller])) as ec2:
        regions = ec2.describe_regions()["Regions"]
    assert {region["RegionName"] for region in regions} == set(ESTATE.regions)
    assert {region["OptInStatus"] for region in regions} == {"opt-in-not-required"}


def test_the_organization_is_as_written(demo: DemoAws, credentials: dict[str, dict[str, str]]) -> None:
    ids = demo.seeded.ids
    with closing(client(demo, "organizations", "us-east-1", credentials[ESTATE.caller])) as organizations:
        organization = organizations.describe_organization()["Organization"]
        accounts = organizations.list_accounts()["Accounts"]
        units, homes = walk(organizations, organizations.list_roots()["Roots"][0]["Id"])
    assert organization["Arn"] == ids["organization"]
    assert organization["MasterAccountId"] == demo.account_id == "123456789012"
    assert {account["Id"]: account["Name"] for account in accounts} == {
        demo.account_id: ESTATE.caller_name,
        **{ids[member.key]: member.name for member in ESTATE.members},
    }
    assert {account["Status"] for account in accounts} == {"ACTIVE"}
    assert units == {path: ids[path] for path in ESTATE.units}
    assert homes == {demo.account_id: "", **{ids[member.key]: member.unit for member in ESTATE.members}}


def walk(organizations: Any, parent: str, path: str = "") -> tuple[dict[str, str], dict[str, str]]:
    """ARNs of the units by path, and paths of the accounts by id."""
    units: dict[str, str] = {}
    homes = {account["Id"]: path for account in organizations.list_accounts_for_parent(ParentId=parent)["Accounts"]}
    for unit in organizations.list_organizational_units_for_parent(ParentId=parent)["OrganizationalUnits"]:
        below = f"{path}/{unit['Name']}".lstrip("/")
        inner_units, inner_homes = walk(organizations, unit["Id"], below)
        units |= {below: unit["Arn"], **inner_units}
        homes |= inner_homes
    return units, homes


def test_every_role_leads_into_its_member_account(demo: DemoAws, credentials: dict[str, dict[str, str]]) -> None:
    for member in ESTATE.members:
        for role in ESTATE.roles:
            keys = assume(demo, credentials[ESTATE.caller], member.key, role)
            with closing(client(demo, "sts", "us-east-1", keys)) as sts:
                assert sts.get_caller_identity()["Account"] == demo.seeded.ids[member.key]
            with closing(client(demo, "iam", "us-east-1", keys)) as iam:
                assert role in {found["RoleName"] for found in iam.list_roles()["Roles"]}


def test_the_settings_fit_the_estate(demo: DemoAws) -> None:
    settings = YAML(typ="safe").load(demo.settings_text)
    assert set(settings) == {"version", "trust", "exceptions", "targets"}
    assert settings["version"] == 1
    assert settings["targets"] == {"regions": "all", "organization": {"role_name": AUDIT_ROLE}}
    assert AUDIT_ROLE in ESTATE.roles
    accounts = {entry["id"]: entry for entry in settings["trust"]["accounts"]}
    assert set(accounts) == {parties.STAGING, parties.DISASTER_RECOVERY, parties.CONTRACTOR}
    assert accounts[parties.CONTRACTOR]["expires"] < TODAY < accounts[parties.DISASTER_RECOVERY]["expires"]
    own, partner = settings["trust"]["organizations"]
    assert (own, partner["id"]) == ("own", parties.PARTNER_ID)


def test_one_exception_is_in_force_and_one_has_lapsed(demo: DemoAws) -> None:
    in_force, lapsed = YAML(typ="safe").load(demo.settings_text)["exceptions"]
    (marketplace,) = (image for image in ESTATE.images if image.name == MARKETPLACE_IMAGE_NAME)
    assert in_force["images"] == {"ids": [demo.seeded.image_ids[marketplace]]}
    assert in_force["grantees"] == ["everyone"]
    assert lapsed["images"] == {"names": [TRAINING_IMAGE_NAME]}
    assert lapsed["grantees"] == [parties.TRAINEE]
    assert lapsed["expires"] < TODAY < in_force["expires"]
    assert all(exception["reason"] and exception["owner"] for exception in (in_force, lapsed))


def test_the_environment_leads_here_and_nowhere_else(demo: DemoAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "https://elsewhere.invalid")
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    before = dict(os.environ)
    child = demo.environment_over(os.environ)
    aws_only = {name: value for name, value in child.items() if name.startswith("AWS_") or "proxy" in name.lower()}
    assert aws_only == demo.environment
    assert child["AWS_ENDPOINT_URL"] == demo.endpoint_url
    assert child["PATH"] == os.environ["PATH"]
    with demo.environment_applied():
        assert dict(os.environ) == child
    assert dict(os.environ) == before


def test_a_second_demo_in_the_same_process_is_refused(demo: DemoAws) -> None:
    with pytest.raises(DemoUnavailableError, match="already running"), demo_aws():
        pytest.fail("two demos would share one AWS")
    assert is_listening(demo.endpoint_url)


def is_listening(endpoint_url: str) -> bool:
    address = urlsplit(endpoint_url)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname or "", address.port or 0)) == 0


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amiguard.demo.server", None)
    with pytest.raises(DemoUnavailableError, match=r"pip install 'amiguard\[demo\]'"), demo_aws():
        pytest.fail("started without moto")


RESTART = """
import os, sys, threading, urllib.request
from amiguard.demo import demo_aws
assert not {"moto", "werkzeug", "boto3"} & set(sys.modules), "the extra is imported too early"
before = dict(os.environ)
seeded = []
for _ in range(2):
    with demo_aws() as aws:
        seeded.append(aws.seeded)
    assert threading.enumerate() == [threading.main_thread()]
    assert dict(os.environ) == before
assert seeded[0] == seeded[1], "the ids differ"
try:
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(aws.endpoint_url)
except urllib.error.URLError:
    print("stopped")
"""


def test_it_starts_again_in_silence_with_the_same_ids_whatever_the_environment_says() -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "AWS_PROFILE": "no-such-profile",
        "AWS_MAX_ATTEMPTS": "many",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-W", "error", "-c", RESTART]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout, done.stderr, done.returncode) == ("stopped\n", "", 0)
