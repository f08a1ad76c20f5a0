"""The images that are never changed, as far as IAM can tell them: a Deny beside what a remediation may."""

from collections.abc import Iterator, Sequence

from amiguard.core.exception import ImageSelector, TagSelector
from amiguard.core.iam.policy import Document, one_or_list
from amiguard.core.remediation import HOLD_TAG

_ACTION = "ec2:ModifyImageAttribute"
_TAG = "aws:ResourceTag/"


def held_images(protected: Sequence[ImageSelector], partition: str) -> tuple[tuple[Document, ...], tuple[str, ...]]:
    """The statements that deny changes of held and protected images, and notes on what they do not reach.

    Args:
        protected: `remediation.protected_images`: an image that matches any of them is protected.
        partition: what ARNs begin with, after `arn:`.
    """
    image_ids = sorted({image_id for selector in protected for image_id in selector.ids})
    tags = list(dict.fromkeys(tag for selector in protected for tag in selector.tags))
    statements = [_denying("LeaveHeldImages", f"arn:{partition}:ec2:*::image/*", _has_key(HOLD_TAG))]
    if image_ids:
        arns = [f"arn:{partition}:ec2:*::image/{image_id}" for image_id in image_ids]
        statements.append(_denying("LeaveProtectedImages", one_or_list(arns)))
    keyed = [tag for tag in tags if tag.key is not None]
    for number, tag in enumerate(keyed, 1):
        sid = f"LeaveProtectedTag{number}"
        statements.append(_denying(sid, f"arn:{partition}:ec2:*::image/*", _has_tag(tag)))
    return tuple(statements), tuple(_notes(protected, tags))


def _notes(protected: Sequence[ImageSelector], tags: Sequence[TagSelector]) -> Iterator[str]:
    yield (
        f"changes of images with the tag {HOLD_TAG}, and of those that remediation.protected_images of the settings "
        "names by id or by tag key, are denied: a rollback cannot give back what was taken from them before, either"
    )
    names = [name for selector in protected for name in selector.names]
    if names:
        left = f"{_listed(names)} of remediation.protected_images"
        yield f"IAM knows no names of images: only amiguard itself leaves {left} alone"
    values = [tag.value or "" for tag in tags if tag.key is None]
    if values:
        listed = _listed([f"={value}" for value in values])
        yield (
            "IAM cannot ask for a value under any tag key: only amiguard itself leaves "
            f"{listed} of remediation.protected_images alone"
        )


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(repr(text) for text in texts)


def _denying(sid: str, resource: str | list[str], condition: Document | None = None) -> Document:
    statement = {"Sid": sid, "Effect": "Deny", "Action": _ACTION, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def _has_tag(tag: TagSelector) -> Document:
    key = tag.key or ""
    return _has_key(key) if tag.value is None else {"StringEquals": {f"{_TAG}{key}": literal(tag.value)}}


def _has_key(key: str) -> Document:
    return {"Null": {f"{_TAG}{key}": "false"}}


def literal(text: str) -> str:
    """A text as a condition compares it: `${` would begin a policy variable."""
    return text.replace("${", "${$}{")
