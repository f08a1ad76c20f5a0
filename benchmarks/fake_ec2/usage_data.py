"""Who uses an image, and how the reports about it fare."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

LIFETIME = timedelta(days=30)
"""How long EC2 keeps a report."""


@dataclass(frozen=True, slots=True)
class FakeUse:
    """How many resources of one type an account has that name the image: one entry of a report.

    Attributes:
        version: of launch templates, the newest version that names the image: 1 is the template's newest one.
    """

    account_id: str
    resource_type: str = "ec2:Instance"
    count: int = 1
    version: int = 1


@dataclass(frozen=True, slots=True)
class FakeUsage:
    """What a report about an image comes to.

    Attributes:
        uses: its entries.
        seconds: how long it is pending; `NEVER_DONE` for ever, `None` for as long as the server says.
        reads: so many times DescribeImageUsageReports still calls it pending after that.
        error: the reason why it ends in the state `error`; `None` if it does not.
        lifetime: how long it is kept.
        vanishes: it is gone as soon as it was once described as finished.
    """

    uses: tuple[FakeUse, ...] = ()
    seconds: float | None = None
    reads: int = 0
    error: str | None = None
    lifetime: timedelta = LIFETIME
    vanishes: bool = False


NEVER_DONE = math.inf


@dataclass(frozen=True, slots=True)
class FakeReport:
    """A report that somebody made before; one that is pending stays so.

    Attributes:
        age: how long before the server's start it was made.
        version_depth: so many versions of each launch template were looked at; `None` if it was not said.
    """

    image_id: str
    id: str = "amiur-0000000000000000a"
    uses: tuple[FakeUse, ...] = ()
    age: timedelta = timedelta(hours=1)
    state: Literal["pending", "available", "error"] = "available"
    state_reason: str | None = None
    resource_types: tuple[str, ...] = ("ec2:Instance", "ec2:LaunchTemplate")
    account_ids: tuple[str, ...] = ()
    version_depth: int | None = None
