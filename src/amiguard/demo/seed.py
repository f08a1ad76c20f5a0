"""Puts an estate into a moto server, over the wire like any other client."""

import http.client
import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import botocore.session

from amiguard.demo.model import Account, Estate, Image

# moto draws every id from one generator. Seeding it, and asking one request after the other, gives every start the same
# ids; the server shares the processor with the client, so threads would gain nothing.
_RANDOM_SEED = 20260901


@dataclass(frozen=True, slots=True)
class SeededEstate:
    """An estate that is in AWS, with the ids that AWS gave it."""

    estate: Estate
    ids: Mapping[str, str]
    """By account key the account id, by unit path the unit's ARN; `organization` is the organization's ARN."""
    image_ids: Mapping[Image, str]


def seed(endpoint_url: str, estate: Estate) -> SeededEstate:
    """Builds the estate at `endpoint_url`, where a moto server has nothing yet.

    Region and credentials of the caller come from the environment, as for every AWS client.
    """
    _seed_ids(endpoint_url)
    # One session, because it reads the description of a service only once.
    connect = partial(botocore.session.Session().create_client, endpoint_url=endpoint_url)
    with closing(connect("sts")) as sts, closing(connect("organizations")) as organizations:
        ids = {estate.caller: sts.get_caller_identity()["Account"], **_organize(organizations, estate)}
        credentials: dict[str, dict[str, str]] = {estate.caller: {}}
        for member in estate.members:
            credentials[member.key] = _assume(sts, f"arn:aws:iam::{ids[member.key]}:role/{estate.roles[0]}")
    with closing(connect("account")) as account:
        account.put_account_name(AccountName=estate.caller_name)
    for member in estate.members:
        with closing(connect("iam", **credentials[member.key])) as iam:
            _create_roles(iam, estate.roles[1:], trusted=ids[estate.caller])
    image_ids: dict[Image, str] = {}
    for key, keys in credentials.items():
        for region in estate.regions:
            with closing(connect("ec2", region_name=region, **keys)) as ec2:
                image_ids |= {image: _create_image(ec2, image, ids) for image in estate.images_in(key, region)}
    return SeededEstate(estate, ids, image_ids)


def _seed_ids(endpoint_url: str) -> None:
    """Asks moto's own interface, which lies beside the AWS that it plays."""
    with closing(http.client.HTTPConnection(urlsplit(endpoint_url).netloc)) as connection:
        connection.request("POST", f"/moto-api/seed?a={_RANDOM_SEED}")
        connection.getresponse().read()


def _organize(organizations: Any, estate: Estate) -> dict[str, str]:
    """Creates the organization with its units and members; their ids, by the names that the estate gives them."""
    ids = {"organization": organizations.create_organization(FeatureSet="ALL")["Organization"]["Arn"]}
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit_ids = {"": root}
    for path in estate.units:
        parent, _, name = path.rpartition("/")
        unit = organizations.create_organizational_unit(ParentId=unit_ids[parent], Name=name)["OrganizationalUnit"]
        unit_ids[path] = unit["Id"]
        ids[path] = unit["Arn"]
    for member in estate.members:
        ids[member.key] = _create_account(organizations, member, role=estate.roles[0])
        organizations.move_account(
            AccountId=ids[member.key], SourceParentId=root, DestinationParentId=unit_ids[member.unit]
        )
    return ids


def _create_account(organizations: Any, member: Account, *, role: str) -> str:
    reply = organizations.create_account(AccountName=member.name, Email=member.email, RoleName=role)
    return str(reply["CreateAccountStatus"]["AccountId"])  # moto has it at once, AWS takes minutes


def _assume(sts: Any, role_arn: str) -> dict[str, str]:
    """Credentials of a role, as the arguments of a client."""
    credentials = sts.assume_role(RoleArn=role_arn, RoleSessionName="amiguard-demo")["Credentials"]
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def _create_roles(iam: Any, names: Iterable[str], *, trusted: str) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{trusted}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
    for name in names:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy))


def _create_image(ec2: Any, image: Image, ids: Mapping[str, str]) -> str:
    image_id = str(ec2.register_image(Name=image.name, Description=image.description)["ImageId"])
    if image.tags:  # apart, because moto loses the tags of RegisterImage
        ec2.create_tags(Resources=[image_id], Tags=[{"Key": key, "Value": value} for key, value in image.tags])
    if image.grants:  # nested, because moto keeps only the first of several ARNs in the flat form
        add = [grant.resolved(ids) for grant in image.grants]
        ec2.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": add})
    if image.disabled:
        ec2.disable_image(ImageId=image_id)
    return image_id
