"""What a journal says, in core's types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from amiguard.core.remediation import JournaledChange
from amiguard.core.scope import RoleOptions
from amiguard.core.selection import Access


class JournalKind(StrEnum):
    """What was done."""

    APPLY = "apply"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class JournalHeader:
    """What a journal is of, and how its accounts were reached: a rollback has nothing else to go by.

    Attributes:
        journal_id: a UUID.
        of: the id of the plan that is applied, or of the journal that is undone.
        of_digest: of that plan or journal; a journal that is undone may grow, so that of the last run counts.
        tool_version: of the run that began the journal.
        caller_arn: who does it; in a journal that was gone on with, who did it last.
        account_id: of the caller.
        accounts: the way into each account, by its id; of all runs together, the last one counts.
        roles: how roles are assumed. Their chain is not kept: the way into each account names its own.
    """

    journal_id: str
    kind: JournalKind
    of: str
    of_digest: str
    tool_version: str
    caller_arn: str
    account_id: str
    accounts: Mapping[str, Access]
    roles: RoleOptions = field(default_factory=RoleOptions)


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """A journal as it was read.

    Attributes:
        changes: in the order of the last intent of each, oldest first.
        digest: SHA-256 over the file, `sha256:<hex>`.
    """

    header: JournalHeader
    changes: tuple[JournaledChange, ...]
    digest: str
