"""How entries are written into a settings file: on one line each, so that no text can break out of its quotes."""

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from amiguard.core.errors import SettingsError
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, Trustee, TrustEntry, parse_trustee

LISTS: dict[type[Trustee], str] = {
    TrustedAccount: "accounts",
    TrustedOrganization: "organizations",
    TrustedUnit: "organizational_units",
}
"""The lists under `trust`, in their order, by what they hold."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to write.

    Attributes:
        written_id: the id as the policy shall show it; `parse_trustee` reads it.
        name: how reports name it.
        reason: why it is trusted.
        expires: the last day on which it is.
    """

    written_id: str
    name: str | None = None
    reason: str | None = None
    expires: date | None = None

    @property
    def entry(self) -> TrustEntry:
        """As the policy holds it.

        Raises:
            ValueError: the id is none.
        """
        return TrustEntry(parse_trustee(self.written_id), name=self.name, reason=self.reason, expires=self.expires)

    @property
    def list_name(self) -> str:
        """The list under `trust` that it belongs to."""
        return LISTS[type(self.entry.trustee)]

    @property
    def written(self) -> str:
        """As an item of that list."""
        if (self.name, self.reason, self.expires) == (None, None, None):
            return quoted(self.written_id)
        texts = {"id": self.written_id, "name": self.name, "reason": self.reason}
        parts = [f"{key}: {quoted(text)}" for key, text in texts.items() if text is not None]
        if self.expires:
            parts.append(f"expires: {self.expires}")
        return f"{{{', '.join(parts)}}}"


def quoted(text: str) -> str:
    """The text in double quotes, as YAML reads it: what cannot be printed is escaped.

    JSON escapes control characters below U+0020, quotes and backslashes as YAML does; the others are escaped here,
    those outside the basic plane by one escape, as YAML has no pairs.
    """
    return "".join(char if char.isprintable() else _escape(char) for char in json.dumps(text, ensure_ascii=False))


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"  # noqa: PLR2004 - the basic plane


def same_trustee(one: Trustee, other: Trustee) -> bool:
    """Whether both name one trustee, be it by id or by ARN."""
    if isinstance(one, TrustedAccount) or isinstance(other, TrustedAccount):
        return one == other
    managers = {one.management_account_id, other.management_account_id} - {None}
    return len(managers) <= 1 and replace(one, management_account_id=None) == replace(other, management_account_id=None)


def cannot_edit(path: Path) -> SettingsError:
    """What to say of a file into which nothing can be written without changing what else it says."""
    return SettingsError(
        f"{path} is written in a way that cannot be edited safely: it stays as it is", hint="edit the file by hand"
    )
