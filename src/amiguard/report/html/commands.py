"""The AWS CLI commands that take the untrusted grantees of one image, or of its snapshots, away."""

import shlex
from collections.abc import Iterable, Iterator

from amiguard.report.evidence_facts import about_snapshots
from amiguard.report.grant_v1 import GrantV1, KindV1
from amiguard.report.json_v1 import ResultV1, encode
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
_MOST_SNAPSHOTS = 50
"""More than an instance can have volumes, but for a few types."""


def removal_commands(result: ResultV1) -> tuple[str, ...]:
    """One command a line for a POSIX shell, without those grantees that are not untrusted; empty if there are none."""
    image = result["image"]
    if about_snapshots(result):
        return tuple(_snapshot_removals(result))
    members = [member for grant in result["grants"] if (member := _member(grant))]
    if image is None or not members:
        return ()
    where = f"--region {_word(result['region'])} --image-id {_word(image['id'])}"
    return tuple(
        f"aws ec2 modify-image-attribute {where} --launch-permission {shlex.quote(encode({'Remove': part}))}"
        for part in _parts(members)
    )


def reading_commands(result: ResultV1) -> tuple[str, ...]:
    """What shows the launch permission as it is now, or that of each snapshot; empty if there is no image."""
    image = result["image"]
    if about_snapshots(result):
        return tuple(
            f"aws ec2 describe-snapshot-attribute --region {_word(result['region'])} "
            f"--snapshot-id {_word(snapshot['id'])} --attribute createVolumePermission"
            for snapshot in result.get("snapshots", ())[:_MOST_SNAPSHOTS]
        )
    if image is None:
        return ()
    return (
        f"aws ec2 describe-image-attribute --region {_word(result['region'])} --image-id {_word(image['id'])} "
        "--attribute launchPermission",
    )


def _snapshot_removals(result: ResultV1) -> Iterator[str]:
    """One command a snapshot and kind of grantee: EC2 knows accounts and everyone here."""
    untrusted = {(one["kind"], one["grantee"]) for one in result["grants"] if one["decision"] == "untrusted"}
    for snapshot in result.get("snapshots", ())[:_MOST_SNAPSHOTS]:
        if snapshot["status"] == "unavailable":
            continue
        remove = (
            f"aws ec2 modify-snapshot-attribute --region {_word(result['region'])} --snapshot-id "
            f"{_word(snapshot['id'])} --attribute createVolumePermission --operation-type remove"
        )
        gone = [one for one in snapshot["grantees"] if (one["kind"], one["grantee"]) in untrusted]
        if any(one["kind"] == "everyone" for one in gone):
            yield f"{remove} --group-names all"
        accounts = [_word(one["grantee"]) for one in gone if one["kind"] == "account"]
        for start in range(0, len(accounts), _MOST_A_CALL):
            yield f"{remove} --user-ids {' '.join(accounts[start : start + _MOST_A_CALL])}"


def _member(grant: GrantV1) -> dict[str, str] | None:
    name = _MEMBERS.get(grant["kind"])
    return {name: grant["grantee"]} if name and grant["decision"] == "untrusted" else None


def _parts(members: list[dict[str, str]]) -> Iterable[list[dict[str, str]]]:
    return (members[start : start + _MOST_A_CALL] for start in range(0, len(members), _MOST_A_CALL))


def _word(text: str) -> str:
    return shlex.quote(printable(text))
