"""GetImageBlockPublicAccessState, EnableImageBlockPublicAccess and DisableImageBlockPublicAccess."""

from collections.abc import Mapping
from typing import Any, Final

from .calls import Call
from .context import Context
from .dry_run import refuse_dry_run
from .estate import BlockPublicAccess
from .replies import AwsProblem
from .store import Store

_BLOCKED: Final = "block-new-sharing"


def get_block_public_access(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with the state of the caller's account in the region, and with who manages it."""
    refuse_dry_run(call)
    state = context.store.shown_block_public_access(call.account_id, call.region)
    return {"ImageBlockPublicAccessState": state, "ManagedBy": _managed_by(call, context.store)}


def enable_block_public_access(call: Call, context: Context) -> Mapping[str, Any]:
    """Let no image be made public; images that are public stay so."""
    if (wanted := call.parameters.get("ImageBlockPublicAccessState")) != _BLOCKED:
        code = "MissingParameter" if wanted is None else "InvalidParameterValue"
        raise AwsProblem(code, f"Invalid value ({wanted}) for parameter ImageBlockPublicAccessState.")
    return _switch(call, context, _BLOCKED)


def disable_block_public_access(call: Call, context: Context) -> Mapping[str, Any]:
    """Let images be made public."""
    return _switch(call, context, "unblocked")


def _switch(call: Call, context: Context, state: BlockPublicAccess) -> Mapping[str, Any]:
    refuse_dry_run(call)
    if _managed_by(call, context.store) == "declarative-policy":
        # That EC2 refuses is documented; with which code is not.
        raise AwsProblem("OperationNotPermitted", "A declarative policy of your organization manages this setting.")
    context.store.set_block_public_access(call.account_id, call.region, state)
    return {"ImageBlockPublicAccessState": state}


def refuse_public(call: Call, store: Store) -> None:
    """Raise `AwsProblem` if no image may be made public."""
    if store.block_public_access(call.account_id, call.region) == _BLOCKED:
        raise AwsProblem(
            "OperationNotPermitted",
            "You can't publicly share this image because block public access for AMIs is enabled for this account. To "
            "publicly share the image, you must call the DisableImageBlockPublicAccess API.",
        )


def _managed_by(call: Call, store: Store) -> str:
    region = store.region(call.account_id, call.region)
    return region.block_public_access_managed_by if region else "account"
