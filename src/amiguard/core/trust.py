"""The trust policy: who may launch the images, and until when."""

import re
from dataclasses import dataclass
from datetime import date

# AWS Organizations API reference: patterns of account, organization and unit ids. `[0-9]`, not `\d`: ASCII only.
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")
_UNIT_ID = re.compile(r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
_ORGANIZATION_ARN = re.compile(r"arn:aws[a-z-]*:organizations::([0-9]{12}):organization/(o-[a-z0-9]{10,32})")
_UNIT_ARN = re.compile(
    r"arn:aws[a-z-]*:organizations::([0-9]{12}):ou/(o-[a-z0-9]{10,32})/(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})"
)
OWN = "own"


@dataclass(frozen=True, slots=True)
class TrustedAccount:
    """One account, by its twelve digits."""

    account_id: str

    def __str__(self) -> str:
        return self.account_id


@dataclass(frozen=True, slots=True)
class TrustedOrganization:
    """An organization. `organization_id` None is the organization of the audited account (`own`)."""

    organization_id: str | None
    management_account_id: str | None = None
    """Given when the policy names a full ARN: it must match too."""

    def __str__(self) -> str:
        return self.organization_id or OWN


@dataclass(frozen=True, slots=True)
class TrustedUnit:
    """A unit and all below it. `organization_id` None means the organization of the audited account."""

    organization_id: str | None
    unit_id: str
    management_account_id: str | None = None

    def __str__(self) -> str:
        return f"{self.organization_id}/{self.unit_id}" if self.organization_id else self.unit_id


Trustee = TrustedAccount | TrustedOrganization | TrustedUnit


@dataclass(frozen=True, slots=True)
class TrustEntry:
    """One line of the trust policy."""

    trustee: Trustee
    name: str | None = None
    reason: str | None = None
    expires: date | None = None
    """The last day (UTC) on which the entry counts; None is for good."""

    def in_force(self, today: date) -> bool:
        """Whether the entry still decides on this day."""
        return self.expires is None or today <= self.expires

    @property
    def label(self) -> str:
        """The entry as a reason names it: its id, and its name where it has one."""
        return f"{self.trustee} ({self.name})" if self.name else str(self.trustee)


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Who may launch. Without entries it trusts nobody but the image's own account."""

    entries: tuple[TrustEntry, ...] = ()

    @property
    def names_organizations(self) -> bool:
        """Whether deciding needs to know the organization of the audited account."""
        return any(not isinstance(entry.trustee, TrustedAccount) for entry in self.entries)

    def needs_members_of(self, organization_id: str) -> bool:
        """Whether deciding needs the members of the audited account's organization, which has this id."""
        return any(
            not isinstance(entry.trustee, TrustedAccount) and entry.trustee.organization_id in (None, organization_id)
            for entry in self.entries
        )


def parse_trustee(text: str) -> Trustee:
    """Read an id as people write it in the trust policy: strict, so that a typing error trusts nobody by accident.

    Args:
        text: an account id, `own`, an organization id or ARN, `o-.../ou-...`, a bare `ou-...` (own organization) or a
            unit's ARN.

    Raises:
        ValueError: the text is none of these; the message says what was expected.
    """
    if _ACCOUNT_ID.fullmatch(text):
        return TrustedAccount(text)
    if text == OWN:
        return TrustedOrganization(None)
    if _ORGANIZATION_ID.fullmatch(text):
        return TrustedOrganization(text)
    if found := _ORGANIZATION_ARN.fullmatch(text):
        return TrustedOrganization(found[2], found[1])
    if found := _UNIT_ARN.fullmatch(text):
        return TrustedUnit(found[2], found[3], found[1])
    organization, slash, unit = text.rpartition("/")
    if _UNIT_ID.fullmatch(unit) and (not slash or _ORGANIZATION_ID.fullmatch(organization)):
        return TrustedUnit(organization or None, unit)
    raise ValueError(_why_not_a_trustee(text))


def _why_not_a_trustee(text: str) -> str:
    digits = re.sub(r"[\s_-]", "", text)
    if re.fullmatch(r"[0-9]+", digits):
        if _ACCOUNT_ID.fullmatch(digits):
            return f'write the account id without separators: "{digits}"'
        return f"an account id has 12 digits, this has {len(digits)}"
    if found := re.fullmatch(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12}):.*", text, re.DOTALL):
        return f'this ARN names neither an organization nor a unit; to trust its account, write "{found[1]}"'
    if text in ("all", "*"):
        return 'write "everyone" for all of AWS, where an exception names grantees; the trust policy cannot trust it'
    if text.startswith("ou-"):
        return "a unit id reads ou-<4 to 32 of 0-9a-z>-<8 to 32 of 0-9a-z>"
    if text.startswith("o-"):
        return "an organization id reads o-<10 to 32 of 0-9a-z>"
    return "expected a 12-digit account id, an organization id or ARN (o-...), or a unit (o-.../ou-..., or its ARN)"
