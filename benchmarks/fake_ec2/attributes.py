"""DescribeImageAttribute and ModifyImageAttribute, for launch permissions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .block_public_access import refuse_public
from .calls import Call
from .context import Context
from .dry_run import refuse_dry_run
from .estate import FakeImage
from .grants import Grant, GrantMember
from .listing import sees
from .replies import AwsProblem
from .serialize import RawXml

_FLAT_FORM: Final[Mapping[str, GrantMember]] = {
    "UserId": "UserId",
    "UserGroup": "Group",
    "OrganizationArn": "OrganizationArn",
    "OrganizationalUnitArn": "OrganizationalUnitArn",
}
_VALUES: Final[Mapping[GrantMember, re.Pattern[str]]] = {
    "UserId": re.compile(r"[0-9]{12}"),
    "Group": re.compile(r"all"),
    "OrganizationArn": re.compile(r"arn:[^:]+:organizations::[0-9]{12}:organization/o-[a-z0-9]{10,32}"),
    "OrganizationalUnitArn": re.compile(r"arn:[^:]+:organizations::[0-9]{12}:ou/o-[a-z0-9]{10,32}/ou-[a-z0-9-]+"),
}
RAW_ITEM: Final = "        <item>{}</item>\n"
"""An item of a list whose inside is given as XML."""


def describe_image_attribute(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with the launch permission of an image that the caller owns."""
    if call.parameters.get("Attribute") != "launchPermission":
        raise AwsProblem("InvalidParameterValue", "The fake knows the attribute launchPermission only.")
    image = owned_image(call, context)
    permissions = [
        RawXml(RAW_ITEM.format(grant.value)) if grant.member == "raw" else {grant.member: grant.value}
        for grant in context.store.shown_grants(call.account_id, call.region, image)
    ]
    return {"ImageId": image.id, "LaunchPermissions": permissions}


def owned_image(call: Call, context: Context) -> FakeImage:
    """Return the image that the call names, if the caller owns it; raises `AwsProblem` otherwise."""
    image_id = call.parameters.get("ImageId", "")
    image = context.store.image(call.account_id, call.region, image_id)
    if image is not None:
        if image.state in context.unavailable_states:
            raise AwsProblem("InvalidAMIID.Unavailable", f"The image ID '{image_id}' is not available")
        return image
    if not re.fullmatch(r"ami-[0-9a-f]{8,17}", image_id):
        raise AwsProblem("InvalidAMIID.Malformed", f'Invalid id: "{image_id}"')
    if any(sees(call.account_id, *pair) for pair in context.store.owners(call.region, image_id)):
        raise AwsProblem("AuthFailure", f"Not authorized for image:{image_id}", 403)
    raise AwsProblem("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")


def modify_image_attribute(call: Call, context: Context) -> Mapping[str, Any]:
    """Add and remove grants; what is there already, or not there, changes nothing."""
    image = owned_image(call, context)
    added, removed = _changes(call)
    if not added and not removed:
        raise AwsProblem("MissingParameter", "The request must contain the parameter LaunchPermission")
    for grant in (*added, *removed):
        if not _VALUES[grant.member].fullmatch(grant.value):
            raise AwsProblem(
                "InvalidAMIAttributeItemValue",
                f'Invalid attribute item value "{grant.value}" for {grant.member} item type.',
            )
    refuse_dry_run(call)
    if Grant("Group", "all") in set(added) - set(image.grants):
        refuse_public(call, context.store)
    kept = tuple(grant for grant in image.grants if grant not in removed)
    grants = (*kept, *(grant for grant in dict.fromkeys(added) if grant not in kept))
    context.store.modify_grants(call.account_id, call.region, image, grants)
    return {}


def _changes(call: Call) -> tuple[list[Grant], list[Grant]]:
    """Return the grants to add and to remove, from the structured form or from the flat one."""
    added, removed = (list(structured(call, f"LaunchPermission.{side}", _VALUES)) for side in ("Add", "Remove"))
    if call.parameters.get("Attribute") == "launchPermission":
        flat = [Grant(member, value) for prefix, member in _FLAT_FORM.items() for value in call.listed(prefix)]
        match call.parameters.get("OperationType"):
            case "add":
                added += flat
            case "remove":
                removed += flat
            case other:
                raise AwsProblem("InvalidParameterValue", f"Value ({other}) for parameter operationType is invalid.")
    return added, removed


def structured(call: Call, prefix: str, members: Iterable[GrantMember]) -> Iterator[Grant]:
    """Yield the grants written as `prefix.1.UserId` and so on."""
    number = 1
    while fields := [
        (member, value) for member in members if (value := call.parameters.get(f"{prefix}.{number}.{member}"))
    ]:
        yield from (Grant(member, value) for member, value in fields)
        number += 1
