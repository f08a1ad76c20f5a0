"""What the calls that are added to moto's EC2 have in common: ids, pages and filters. Imports moto."""

import base64
import binascii
import fnmatch
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError, MalformedAMIIdError, UnvailableAMIIdError
from moto.ec2.responses import EC2Response

_Item = TypeVar("_Item")
_LONGEST_PAGE = 1000


def parameter(request: EC2Response, name: str, default: Any = None) -> Any:
    """A parameter of the request, named as botocore's model names it and parsed by it."""
    return request._get_param(name, default)  # noqa: SLF001 - moto's own way


def required(request: EC2Response, name: str) -> Any:
    """A parameter that EC2 does not do without.

    Raises:
        EC2ClientError: it is not there.
    """
    if not (given := parameter(request, name)):
        raise EC2ClientError("MissingParameter", f"The request must contain the parameter {name}")
    return given


def image_of(request: EC2Response) -> Any:
    """The image that the request's `ImageId` names, as moto has it.

    Raises:
        EC2ClientError: it is no image id, or there is no such image, as EC2 says it.
    """
    image_id = str(required(request, "ImageId"))
    backend = request.ec2_backend
    if not image_id.startswith("ami-"):
        raise MalformedAMIIdError([image_id])
    if image_id in backend.deleted_amis:
        raise UnvailableAMIIdError(image_id)
    if image_id not in backend.amis:
        raise InvalidAMIIdError(image_id)
    return backend.amis[image_id]


def bad_value(value: object, name: str, reason: str) -> EC2ClientError:
    """EC2's error for a value that it does not take."""
    return EC2ClientError("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid. {reason}")


def one_page(request: EC2Response, items: Sequence[_Item]) -> tuple[Sequence[_Item], str | None]:
    """The page that the request asks for by `MaxResults` and `NextToken`, and the token of the next one.

    Raises:
        EC2ClientError: there is no such page.
    """
    size = int(parameter(request, "MaxResults", _LONGEST_PAGE))
    if not 1 <= size <= _LONGEST_PAGE:
        raise bad_value(size, "maxResults", f"Expecting a value between 1 and {_LONGEST_PAGE}.")
    start = _start(parameter(request, "NextToken"))
    end = start + size
    return items[start:end], _token(end) if end < len(items) else None


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(str(start).encode()).decode()


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        start = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        start = b""
    if not start.isdigit():
        raise EC2ClientError("InvalidNextToken", f"The token '{token}' is invalid")
    return int(start)


def filtered(
    request: EC2Response, items: Sequence[_Item], fields: Mapping[str, Callable[[_Item], str]]
) -> Sequence[_Item]:
    """The items that every filter of the request lets through; `*` and `?` in its values are wildcards.

    Raises:
        EC2ClientError: a filter has a name that is not in `fields`.
    """
    for each in parameter(request, "Filters", []):
        if (field := fields.get(each.get("Name"))) is None:
            raise EC2ClientError("InvalidParameterValue", f"The filter '{each.get('Name', 'null')}' is invalid")
        values = each.get("Values", [])
        items = [item for item in items if any(fnmatch.fnmatchcase(field(item), value) for value in values)]
    return items


def iso(moment: datetime) -> str:
    """A time as the filters of EC2 write it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
