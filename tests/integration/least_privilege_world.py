"""An organization in moto whose principals have the policies that `amiguard policy` prints, or all but an action.

The runner is a user of the hub; the roles of the member account are those of the CloudFormation template.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import create_loader
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends

from amiguard.cli import main as program
from amiguard.demo.moto_methods import state_at
from amiguard.demo.usage_state import ImageUsage, ImageUse
from tests.integration.iam_enforcement import enforced
from tests.integration.moto_clients import ACCOUNT as HUB
from tests.integration.moto_clients import REGION, opened

STRANGER = "999988887777"
AUDIT, REMEDIATION = "AmiguardAudit", "AmiguardRemediation"
EXTERNAL_ID = "7f3c9a"
TOPIC = f"arn:aws:sns:{REGION}:{HUB}:amiguard"
TRUST = "trust: {organizations: [own]}"
TARGETS = f"""targets:
  organization:
    role_name: audit/{AUDIT}
    external_id: {EXTERNAL_ID}
    exclude: {{tags: [audit=no]}}"""
REST = f"""remediation: {{role_name: {REMEDIATION}, external_id: {EXTERNAL_ID}}}
notify: [{{sns: "{TOPIC}", on: always}}]"""
SETTINGS = f"version: 1\n{TRUST}\n{TARGETS}\n{REST}\n"
IMAGES = "ami-cross-account-access"
SWITCH_STATE = "amiguard_image_block_public_access"
"""Where the demo keeps the switch at moto's backend."""
PARAMETERS = {"HubAccountId": HUB, "AWS::Partition": "aws"}

Document = dict[str, Any]
_shared_loader = cache(create_loader)  # to read the descriptions of the services costs more than all calls


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def report(self) -> Any:
        return json.loads(self.out)

    def of(self, check_id: str, account_id: str) -> list[str]:
        """What a check came to in an account."""
        found = self.report["results"]
        return [one["status"] for one in found if (one["check_id"], one["account_id"]) == (check_id, account_id)]

    def evidence(self, image_id: str) -> Any:
        """That of a failing image."""
        results = [one for one in self.report["results"] if one["image"] and one["image"]["id"] == image_id]
        return next(one["evidence"] for one in results if one["check_id"] == IMAGES)


class World:
    """The organization, and the way to run the program in it.

    Args:
        url: of moto.
        folder: where the runner works.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.settings(SETTINGS)
        self.member, maker = _organize(url)
        self.keys = _make_runner(url)
        self._make_roles(maker)
        self.image, self.held, self.snapshot = _make_images(self.member)
        self.share()

    def settings(self, text: str) -> None:
        """What the runner's settings file says from here on."""
        (self.folder / "amiguard.yaml").write_text(text)

    def run(self, *arguments: str) -> Result:
        """Run the program in this process: each start would cost more than the run."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**self.keys, "AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION}.items():
                patch.setenv(name, value)
            patch.setenv("XDG_STATE_HOME", str(self.folder / "state"))
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["amiguard", *arguments])
            patch.setattr("botocore.session.create_loader", _shared_loader)
            out, err = StringIO(), StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                code = program._run()
        return Result(code, out.getvalue(), err.getvalue())

    def printed(self, *arguments: str) -> Document:
        """What `amiguard policy` prints."""
        run = self.run("policy", *arguments, "--quiet")
        assert run.code == 0, run.err
        found: Document = json.loads(run.out)
        return found

    def share(self) -> None:
        """Everything is as it was: shared with a stranger, and no report made of it."""
        backend = ec2_backends[self.member][REGION]
        for image_id in (self.image, self.held):
            backend.modify_image_attribute(image_id, [{"UserId": STRANGER}], [])
        backend.add_create_volume_permission(self.snapshot, user_ids=[STRANGER], groups=[])
        setattr(backend, SWITCH_STATE, "unblocked")
        state_at(backend, ImageUsage).reports.clear()

    def shared_with(self) -> tuple[set[str], set[str], str]:
        """With whom image and snapshot are shared now, and how the switch stands."""
        backend = ec2_backends[self.member][REGION]
        image = {one["UserId"] for one in backend.amis[self.image].launch_permissions}
        snapshot = set(backend.get_create_volume_permission_userids(self.snapshot))
        return image, snapshot, getattr(backend, SWITCH_STATE)

    @contextmanager
    def permitted(
        self, runner: Document, role: Document | None = None, *, name: str = AUDIT, missing: str = ""
    ) -> Iterator[None]:
        """From here on the runner and a role of the member may do exactly this, but for an action."""
        with opened(self.url, "iam") as iam:
            document = json.dumps(without(runner, missing))
            iam.put_user_policy(UserName="runner", PolicyName="exactly", PolicyDocument=document)
        roles = iam_backends[self.member]["aws"]
        for one in (AUDIT, REMEDIATION):
            document = json.dumps(without(role, missing) if role and one == name else NOTHING)
            roles.put_role_policy(one, "exactly", document)
        with enforced():
            yield

    def _make_roles(self, maker: dict[str, str]) -> None:
        template = self.printed("organization", "--format", "cloudformation")
        with opened(self.url, "iam", **maker) as iam:
            for kind in ("Audit", "Remediation"):
                properties = resolved(template["Resources"][f"{kind}Role"]["Properties"], template)
                iam.create_role(
                    Path=properties["Path"],
                    RoleName=properties["RoleName"],
                    AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
                )


NOTHING: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}],
}
"""What everybody may anyway: moto takes no policy without statements."""


def without(policy: Document, action: str) -> Document:
    """The policy as if nobody had thought of an action."""
    statements = []
    for one in policy["Statement"]:
        actions = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
        left = actions if one["Effect"] == "Deny" else [each for each in actions if each != action]
        if left:
            statements.append({**one, "Action": left})
    return {**policy, "Statement": statements}


def resolved(value: Any, template: Document) -> Any:
    """A part of a template as CloudFormation puts its parameters in."""
    match value:
        case {"Ref": str(name)}:
            return PARAMETERS.get(name) or template["Parameters"][name]["Default"]
        case {"Fn::Sub": str(text)}:
            for name, given in PARAMETERS.items():
                text = text.replace(f"${{{name}}}", given)
            return text
        case dict():
            return {key: resolved(one, template) for key, one in value.items()}
        case list():
            return [resolved(one, template) for one in value]
        case _:
            return value


def _organize(url: str) -> tuple[str, dict[str, str]]:
    """The member's id, and credentials with which something can be made in it."""
    with opened(url, "organizations") as organizations, opened(url, "sts") as sts:
        organizations.create_organization(FeatureSet="ALL")
        made = organizations.create_account(AccountName="member", Email="m@example.com", RoleName="Maker")
        member: str = made["CreateAccountStatus"]["AccountId"]
        maker = sts.assume_role(RoleArn=f"arn:aws:iam::{member}:role/Maker", RoleSessionName="maker")["Credentials"]
    return member, {
        "aws_access_key_id": maker["AccessKeyId"],
        "aws_secret_access_key": maker["SecretAccessKey"],
        "aws_session_token": maker["SessionToken"],
    }


def _make_runner(url: str) -> dict[str, str]:
    """The variables that make a client the runner; the topic is the hub's."""
    with opened(url, "sns") as sns:
        assert sns.create_topic(Name="amiguard")["TopicArn"] == TOPIC
    with opened(url, "iam") as iam:
        iam.create_user(UserName="runner")
        key = iam.create_access_key(UserName="runner")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def _make_images(member: str) -> tuple[str, str, str]:
    """An image over a snapshot under a key, one that is held, and that snapshot; and one in the hub."""
    backend = ec2_backends[member][REGION]
    own = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{member}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    key = kms_backends[member][REGION].create_key(
        policy=json.dumps({"Version": "2012-10-17", "Statement": [own]}),
        key_usage="ENCRYPT_DECRYPT",
        key_spec="SYMMETRIC_DEFAULT",
        description="",
        tags=None,
    )
    image = backend.register_image("shared", "")
    plain = image.ebs_snapshot
    image.ebs_snapshot = backend.copy_snapshot(plain.id, REGION, plain.description, key.arn)
    image.ebs_snapshot.from_ami = image.id
    state_at(backend, ImageUsage).uses[image.id] = (ImageUse(STRANGER, "ec2:Instance", 3),)
    held = backend.register_image("held", "")
    held.add_tags({"amiguard:hold": ""})
    ours = ec2_backends[HUB][REGION].register_image("of the hub", "")
    ec2_backends[HUB][REGION].modify_image_attribute(ours.id, [{"UserId": member}], [])
    return str(image.id), str(held.id), str(image.ebs_snapshot.id)
