"""The pages of AWS Organizations' listings, and the faults that strike them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .calls import Call
from .context import Context
from .effects import Effect
from .replies import AwsProblem

_LARGEST = 20


@dataclass(frozen=True, slots=True)
class OrganizationListingEffect(Effect):
    """An effect on the pages of Organizations only."""

    def concerns(self, call: Call) -> bool:
        """Leave all other actions alone."""
        return call.service == "organizations" and call.action.startswith("List")


@dataclass(frozen=True, slots=True)
class EmptyOrganizationPage(OrganizationListingEffect):
    """A page without items whose token leads to the items that it should have held."""


@dataclass(frozen=True, slots=True)
class EndlessOrganizationToken(OrganizationListingEffect):
    """The listing never ends; with `same`, its token is always the same one."""

    same: bool = False


def page_of(call: Call, context: Context, member: str, items: Sequence[Any]) -> dict[str, Any]:
    """Return the page of a listing that a call asks for; its items are in `member`."""
    try:
        start, number = (int(part) for part in call.parameters.get("NextToken", "0:0").split(":"))
        size = int(call.parameters.get("MaxResults", _LARGEST))
    except ValueError:
        start = number = size = -1
    if start < 0 or not 1 <= size <= _LARGEST:
        raise AwsProblem("InvalidInputException", "You specified an invalid value.")
    # A token counts the pages too: two tokens are never the same, as with AWS.
    end = min(start + size, len(items))
    match context.effect:
        case EmptyOrganizationPage():
            return {member: [], "NextToken": f"{start}:{number + 1}"}
        case EndlessOrganizationToken(same=same):
            return {member: list(items[start:end]), "NextToken": f"{end}:{0 if same else number + 1}"}
        case _:
            following = {"NextToken": f"{end}:{number + 1}"} if end < len(items) else {}
            return {member: list(items[start:end])} | following
