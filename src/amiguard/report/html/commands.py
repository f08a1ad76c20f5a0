"""The AWS CLI commands that take one image's untrusted grantees away."""

import shlex
from collections.abc import Iterable

from amiguard.report.json_v1 import GrantV1, KindV1, ResultV1, encode
from amiguard.report.sanitize import printable

_MEMBERS: dict[KindV1, str] = {
    "account": "UserId",
    "everyone": "Group",
    "organization": "OrganizationArn",
    "organizational_unit": "OrganizationalUnitArn",
}
"""How ModifyImageAttribute names a grantee of a kind."""
_MOST_A_CALL = 500
"""EC2 would take more; a shell or a terminal may not."""


def removal_commands(result: ResultV1) -> tuple[str, ...]:
    """One command a line for a POSIX shell, without those grantees that are not untrusted; empty if there are none."""
    image = result["image"]
    members = [member for grant in result["grants"] if (member := _member(grant))]
    if image is None or not members:
        return ()
    where = f"--region {_word(result['region'])} --image-id {_word(image['id'])}"
    return tuple(
        f"aws ec2 modify-image-attribute {where} --launch-permission {shlex.quote(encode({'Remove': part}))}"
        for part in _parts(members)
    )


def reading_command(result: ResultV1) -> str:
    """What shows the launch permission as it is now; empty if the result is about no image."""
    image = result["image"]
    if image is None:
        return ""
    return (
        f"aws ec2 describe-image-attribute --region {_word(result['region'])} --image-id {_word(image['id'])} "
        "--attribute launchPermission"
    )


def _member(grant: GrantV1) -> dict[str, str] | None:
    name = _MEMBERS.get(grant["kind"])
    return {name: grant["grantee"]} if name and grant["decision"] == "untrusted" else None


def _parts(members: list[dict[str, str]]) -> Iterable[list[dict[str, str]]]:
    return (members[start : start + _MOST_A_CALL] for start in range(0, len(members), _MOST_A_CALL))


def _word(text: str) -> str:
    return shlex.quote(printable(text))
