"""An image, and what could be learned about who may launch it."""

from dataclasses import dataclass

from amiguard.core.grantee import Grantee


@dataclass(frozen=True, slots=True)
class Image:
    """An AMI owned by the audited account, as DescribeImages lists it.

    `name`, `tags` and the other texts are written by someone else: neutralise them before they are shown.
    """

    image_id: str
    account_id: str
    region: str
    partition: str
    name: str = ""
    creation_date: str = ""
    state: str = ""
    """`available`, `pending`, `failed`, `disabled`, ...: EC2's `ImageState`, passed on as it came."""
    public: bool = False
    """EC2's `Public`: a hint only. False covers both private and explicitly shared images."""
    tags: tuple[tuple[str, str], ...] = ()
    snapshot_ids: tuple[str, ...] = ()
    """The snapshots under the image, by `BlockDeviceMappings`, each once, in AWS's order."""
    last_launched: str = ""
    """EC2's `LastLaunchedTime`, its own text; empty if EC2 gave none. It lags by a day."""

    @property
    def arn(self) -> str:
        """The image's ARN; its account field is empty, as in the Service Authorization Reference."""
        return f"arn:{self.partition}:ec2:{self.region}::image/{self.image_id}"


@dataclass(frozen=True, slots=True)
class LaunchPermission:
    """The launch permission as it was read: all grants of the image, in AWS's order, possibly none."""

    grantees: tuple[Grantee, ...]


@dataclass(frozen=True, slots=True)
class PermissionRemoved:
    """AWS itself took the launch permission away: the image is `disabled`, and a fresh listing says so."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What was asked could not be read. Unread is never clean."""

    reason: str
    hint: str | None = None
    """What would make it readable (the IAM action that is missing, say)."""


@dataclass(frozen=True, slots=True)
class ImageNotFound:
    """EC2 does not know the image (`InvalidAMIID.NotFound`): gone since it was listed, or not yet everywhere."""


@dataclass(frozen=True, slots=True)
class ImageUnavailable:
    """EC2 does not give the permission in the image's present state (`InvalidAMIID.Unavailable`)."""

    message: str


PermissionReply = LaunchPermission | Unreadable | ImageNotFound | ImageUnavailable
"""What reading one image's launch permission can bring."""

PermissionState = LaunchPermission | PermissionRemoved | Unreadable
"""What is judged: the replies that need a second look have had it."""
