"""Image block public access: EC2's switch, one a target, that keeps images from being made public."""

from dataclasses import dataclass
from enum import StrEnum


class BlockPublicAccess(StrEnum):
    """The switch, in EC2's words (`ImageBlockPublicAccessState`)."""

    UNBLOCKED = "unblocked"
    BLOCK_NEW_SHARING = "block-new-sharing"
    """No image can be made public; images that are public already stay so."""


@dataclass(frozen=True, slots=True)
class BlockPublicAccessState:
    """How the switch stands in one target, and who holds it (GetImageBlockPublicAccessState)."""

    state: BlockPublicAccess
    managed_by: str
    """`account`, or `declarative-policy`: then the account cannot change it. Passed on as it came."""

    @property
    def by_declarative_policy(self) -> bool:
        """Whether a declarative policy of the organization holds the switch."""
        return self.managed_by == "declarative-policy"
