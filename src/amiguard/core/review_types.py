"""What a review of the trust policy takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from amiguard.core.directory import Directory
from amiguard.core.exception import ImageException
from amiguard.core.trust import TrustedAccount, TrustedUnit, Trustee, TrustPolicy


class ReviewSeverity(StrEnum):
    """How much a finding matters."""

    PROBLEM = "problem"
    """The policy does not do what it was written for, or trusts someone by mistake."""
    WARNING = "warning"
    """Worth an edit."""
    INFORMATION = "information"
    """A hint; there may be nothing to do."""


class ReviewKind(StrEnum):
    """What a finding is about."""

    EXPIRED = "expired"
    EXPIRES_SOON = "expires-soon"
    LIKELY_TYPO = "likely-typo"
    LEFT_ORGANIZATION = "left-organization"
    ACCOUNT_CLOSED = "account-closed"
    UNUSED = "unused"
    REDUNDANT = "redundant"
    NAME_DIFFERS = "name-differs"
    EXCEPTION_MATCHES_NOTHING = "exception-matches-nothing"
    EXCEPTION_NOT_NEEDED = "exception-not-needed"
    UNDOCUMENTED = "undocumented"
    UNTRUSTED_MEMBER = "untrusted-member"
    UNTRUSTED_VENDOR = "untrusted-vendor"


@dataclass(frozen=True, slots=True)
class ReviewFinding:
    """One thing to look at. Names in it were written by others: neutralise them before they are shown.

    Attributes:
        subject: the id of the entry, of the exception (`exceptions[2]`) or of the grantee.
        name: what the subject is called, by its entry, the directory or the list of vendors; None if nobody says.
        place: where the settings write it; None if they do not.
        message: what is wrong, a sentence without its full stop.
        mend: a command or an edit.
    """

    kind: ReviewKind
    severity: ReviewSeverity
    subject: str
    name: str | None
    place: str | None
    message: str
    mend: str


@dataclass(frozen=True, slots=True)
class PlacedPolicy:
    """A trust policy and its exceptions, each with where it is written, in the same order."""

    policy: TrustPolicy
    entry_places: tuple[str, ...]
    exceptions: tuple[ImageException, ...] = ()
    exception_places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a policy is held against, besides an audit.

    Attributes:
        today: the day (UTC) by which dates are judged.
        within: what expires in this time expires soon.
        directory: the organization's accounts and units; None if it was not read.
        former: accounts that are not in the directory any more, and how it is known that they were.
        vendors: names of vendors by the ids of their accounts.
        own_accounts: accounts that are or were audited.
        options: what commands need besides their arguments, such as ` --config FILE`.
    """

    today: date
    within: timedelta
    directory: Directory | None = None
    former: Mapping[str, str] = field(default_factory=dict)
    vendors: Mapping[str, str] = field(default_factory=dict)
    own_accounts: frozenset[str] = frozenset()
    options: str = ""

    def name_of(self, trustee: Trustee) -> str | None:
        """What the directory or the list of vendors calls it; None if neither knows a name."""
        match trustee:
            case TrustedAccount(account_id):
                member = self.directory.accounts.get(account_id) if self.directory else None
                return (member.name if member else None) or self.vendors.get(account_id)
            case TrustedUnit(organization_id, unit_id) if self.directory is not None:
                unit = self.directory.units.get(unit_id)
                own = organization_id in (None, self.directory.organization_id)
                return (unit.name or None) if unit and own else None
            case _:
                return None


def counted(number: int, one: str) -> str:
    """`1 grant`, `2 grants`."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"
