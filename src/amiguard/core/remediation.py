"""What became of the changes of a plan or a journal, and which images are not touched at all."""

from dataclasses import dataclass
from enum import StrEnum

from amiguard.core.edit import Edit
from amiguard.core.exception import ImageSelector
from amiguard.core.image import Image
from amiguard.core.scope import NamedRole

HOLD_TAG = "amiguard:hold"
"""An image with this tag, whatever its value, is not changed."""


class ChangeStatus(StrEnum):
    """What became of one change."""

    APPLIED = "applied"
    """It was made, and reading it back shows it."""
    ALREADY_DONE = "already_done"
    """It was so before: nothing was called."""
    WOULD_APPLY = "would_apply"
    """A dry run: EC2 says that the caller is permitted to make it."""
    DRIFTED = "drifted"
    """The present state is not the one that was planned from: untouched."""
    NO_LONGER_WANTED = "no_longer_wanted"
    """Today's policy decides otherwise than the plan: untouched."""
    HELD = "held"
    """A hold tag or `remediation.protected_images`: untouched."""
    FAILED = "failed"
    """EC2 refused it, or it could not be asked; the reason says how far it came."""
    UNVERIFIED = "unverified"
    """EC2 accepted it, and does not show it yet."""
    NOT_TRIED = "not_tried"
    """The run ended before its turn."""


DONE = frozenset({ChangeStatus.APPLIED, ChangeStatus.ALREADY_DONE, ChangeStatus.WOULD_APPLY})
"""All others end a remediation with exit code 4."""
ERRORS = frozenset({ChangeStatus.FAILED, ChangeStatus.UNVERIFIED})
"""What `--stop-on-error` stops at."""


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    """One change, and what became of it.

    Attributes:
        reason: why, where that is not clear from the status.
        hint: what would mend it.
    """

    edit: Edit
    status: ChangeStatus
    reason: str = ""
    hint: str | None = None


class ChangeState(StrEnum):
    """In which state something that was journaled is now (`rollback --check`)."""

    APPLIED = "applied"
    """As the change left it."""
    IN_PROGRESS = "in_progress"
    """Between two calls of the change."""
    AS_BEFORE = "as_before"
    """As it was before the change: it was not made, or has been undone."""
    DRIFTED = "drifted"
    """None of these: someone else has changed it since."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class JournaledChange:
    """What a journal says of one edit.

    Attributes:
        status: the last outcome; None if the last intent has none (the program was killed).
        reason: of that outcome.
        may_have_effect: whether anything of the edit may be in force; False only if AWS refused every call, and the
            state before the edit was read just before.
    """

    edit: Edit
    status: ChangeStatus | None
    reason: str = ""
    may_have_effect: bool = True


@dataclass(frozen=True, slots=True)
class StateOf:
    """One journaled change, and the state in which it is now."""

    change: JournaledChange
    state: ChangeState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RemediationSettings:
    """The section `remediation` of the settings.

    Attributes:
        role: what `apply` and `rollback` assume in other accounts, so that the role of audits stays read-only; None for
            the role of audits.
        protected: images that are never changed; an image that matches any of them is protected.
    """

    role: NamedRole | None = None
    protected: tuple[ImageSelector, ...] = ()


def why_held(image: Image, protected: tuple[ImageSelector, ...]) -> str | None:
    """Why an image is not to be changed; None if it may be."""
    for key, _ in image.tags:
        if key == HOLD_TAG:
            return f"it has the tag {HOLD_TAG}"
    if any(selector.matches(image) for selector in protected):
        return "it is in remediation.protected_images of the settings"
    return None
