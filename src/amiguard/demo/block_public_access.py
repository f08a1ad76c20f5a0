"""Image block public access, which moto lacks. Imports moto."""

from contextlib import AbstractContextManager

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidParameterValueError
from moto.ec2.responses import EC2Response
from moto.ec2.responses.amis import AmisResponse

from amiguard.demo.moto_methods import served

_UNBLOCKED, _BLOCKED = "unblocked", "block-new-sharing"
_STATE = "amiguard_image_block_public_access"
"""Where the state is kept: at moto's own backend of an account and region, so that a reset of moto resets it too."""
_EVERYONE = {"Group": "all"}


def _state(request: EC2Response) -> str:
    state: str = getattr(request.ec2_backend, _STATE, _UNBLOCKED)
    return state


def _get(request: EC2Response) -> ActionResult:
    request.error_on_dryrun()
    return ActionResult({"ImageBlockPublicAccessState": _state(request), "ManagedBy": "account"})


def _enable(request: EC2Response) -> ActionResult:
    wanted = request._get_param("ImageBlockPublicAccessState")  # noqa: SLF001 - moto's own way
    if wanted != _BLOCKED:
        raise InvalidParameterValueError(wanted)
    return _switch(request, _BLOCKED)


def _disable(request: EC2Response) -> ActionResult:
    return _switch(request, _UNBLOCKED)


def _switch(request: EC2Response, state: str) -> ActionResult:
    request.error_on_dryrun()
    setattr(request.ec2_backend, _STATE, state)
    return ActionResult({"ImageBlockPublicAccessState": state})


def _modify_image_attribute(request: EC2Response) -> ActionResult:
    """As moto does it, but that nothing is made public while that is blocked."""
    if _state(request) == _BLOCKED and _makes_public(request) and not request._get_param("DryRun"):  # noqa: SLF001 - moto's own way
        raise EC2ClientError(
            "OperationNotPermitted",
            "You can't publicly share this image because block public access for AMIs is enabled for this account. To "
            "publicly share the image, you must call the DisableImageBlockPublicAccess API.",
        )
    return AmisResponse.modify_image_attribute(request)


def _makes_public(request: EC2Response) -> bool:
    added = request._get_param("LaunchPermission", {}).get("Add", [])  # noqa: SLF001 - moto's own way
    flat = request._get_param("UserGroups", []) if request._get_param("OperationType") == "add" else []  # noqa: SLF001 - as above
    image = request.ec2_backend.amis.get(request._get_param("ImageId"))  # noqa: SLF001 - as above
    return image is not None and not image.is_public and (_EVERYONE in added or "all" in flat)


_METHODS = {
    "get_image_block_public_access_state": _get,
    "enable_image_block_public_access": _enable,
    "disable_image_block_public_access": _disable,
    "modify_image_attribute": _modify_image_attribute,
}


def served_block_public_access() -> AbstractContextManager[None]:
    """Lets moto know image block public access meanwhile, unblocked everywhere at first."""
    return served(EC2Response, _METHODS)
