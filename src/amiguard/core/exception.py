"""Exceptions: pairs of images and grantees that someone accepted on purpose, with a reason and an owner."""

from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import assert_never

from amiguard.core.grantee import Account, Everyone, Grantee, Organization, OrganizationalUnit
from amiguard.core.image import Image
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, Trustee, parse_trustee


@dataclass(frozen=True, slots=True)
class TagSelector:
    """`key`, `key=value` or `=value`; a part that is None matches anything. Both compare exactly."""

    key: str | None
    value: str | None

    def matches(self, tags: tuple[tuple[str, str], ...]) -> bool:
        """Whether one tag of the image fits both parts."""
        return any(self.key in (None, key) and self.value in (None, value) for key, value in tags)


def parse_tag_selector(text: str) -> TagSelector:
    """Read `key`, `key=value` or `=value`.

    Raises:
        ValueError: neither key nor value is given.
    """
    key, equals, value = text.partition("=")
    if not key and not value:
        raise ValueError("a tag selector reads key, key=value or =value")
    return TagSelector(key or None, value if equals else None)


@dataclass(frozen=True, slots=True)
class ImageSelector:
    """Which images: keys narrow each other (and), values of one key widen (or). An empty key does not narrow."""

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Shell patterns (`*`, `?`, `[...]`) over the whole name; upper and lower case differ."""
    tags: tuple[TagSelector, ...] = ()
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """An empty selector would accept every image: it cannot exist."""
        if not (self.ids or self.names or self.tags or self.accounts or self.regions):
            raise ValueError("an exception must name its images by ids, names, tags, accounts or regions")

    def matches(self, image: Image) -> bool:
        """Whether the image is meant."""
        return (
            (not self.ids or image.image_id in self.ids)
            and (not self.names or any(fnmatchcase(image.name, pattern) for pattern in self.names))
            and (not self.tags or any(selector.matches(image.tags) for selector in self.tags))
            and (not self.accounts or image.account_id in self.accounts)
            and (not self.regions or image.region in self.regions)
        )


@dataclass(frozen=True, slots=True)
class AnyGrantee:
    """`grantees: any`: whoever the image is shared with."""


AcceptedGrantee = Everyone | Trustee


def parse_accepted_grantee(text: str) -> AcceptedGrantee:
    """Read `everyone`, an account id, an organization (id or ARN) or a unit (`o-.../ou-...` or ARN).

    Raises:
        ValueError: the text is none of these, or does not name the organization it means.
    """
    if text == "everyone":
        return Everyone()
    accepted = parse_trustee(text)
    if not isinstance(accepted, TrustedAccount) and accepted.organization_id is None:
        raise ValueError("an exception must name the organization itself (o-..., or o-.../ou-...)")
    return accepted


@dataclass(frozen=True, slots=True)
class ImageException:
    """One (images, grantees) pair accepted on purpose."""

    images: ImageSelector
    grantees: tuple[AcceptedGrantee, ...] | AnyGrantee
    reason: str
    owner: str
    expires: date | None = None
    """The last day (UTC) on which the exception counts; None is for good."""

    def in_force(self, today: date) -> bool:
        """Whether the exception still decides on this day."""
        return self.expires is None or today <= self.expires

    def matches(self, image: Image, grantee: Grantee) -> bool:
        """Whether image and grantee are both meant, dates aside."""
        return self._accepts(grantee) and self.images.matches(image)

    def _accepts(self, grantee: Grantee) -> bool:
        match self.grantees:
            case AnyGrantee():
                return True
            case accepted:
                return any(_is(one, grantee) for one in accepted)


def _is(accepted: AcceptedGrantee, grantee: Grantee) -> bool:
    """Whether the accepted grantee is this very grant: an accepted organization does not accept its accounts."""
    match accepted:
        case Everyone():
            return isinstance(grantee, Everyone)
        case TrustedAccount(account_id):
            return isinstance(grantee, Account) and grantee.account_id == account_id
        case TrustedOrganization(organization_id, management_account_id):
            return (
                isinstance(grantee, Organization)
                and grantee.organization_id == organization_id
                and management_account_id in (None, grantee.management_account_id)
            )
        case TrustedUnit(organization_id, unit_id, management_account_id):
            return (
                isinstance(grantee, OrganizationalUnit)
                and (grantee.organization_id, grantee.unit_id) == (organization_id, unit_id)
                and management_account_id in (None, grantee.management_account_id)
            )
        case _:
            assert_never(accepted)
