"""Version 1 of removals in plans: who is taken away, and what is known of its use of the image."""

from typing import Annotated, Literal, assert_never

from pydantic import Field

from amiguard.core.evidence import UsageEntry
from amiguard.core.grantee import grantee_id, grantee_kind
from amiguard.core.plan import Effect, InUse, NotInUse, Removal, Use, UseUnknown
from amiguard.files.grants_v1 import GrantV1, Moment, Record

Count = Annotated[int, Field(ge=0)]


class _UsageEntryV1(Record):
    account_id: str
    resource_type: str
    count: Count


class _UseUnknownV1(Record):
    """Usage could not be had; where it was not asked for, no use is written at all."""

    state: Literal["unknown"]
    reason: Annotated[str, Field(min_length=1)]

    def value(self) -> UseUnknown:
        return UseUnknown(self.reason)


class _NotInUseV1(Record):
    state: Literal["not_in_use"]
    as_of: Moment

    def value(self) -> NotInUse:
        return NotInUse(self.as_of)


class _InUseV1(Record):
    state: Literal["in_use"]
    as_of: Moment
    entries: Annotated[tuple[_UsageEntryV1, ...], Field(min_length=1)]

    def value(self) -> InUse:
        entries = (UsageEntry(one.account_id, one.resource_type, one.count) for one in self.entries)
        return InUse(self.as_of, tuple(entries))


_UseV1 = Annotated[_UseUnknownV1 | _NotInUseV1 | _InUseV1, Field(discriminator="state")]


class RemovalV1(GrantV1):
    """A grantee that is taken away; `use` is absent where it was not asked for."""

    reason: str
    effect: Effect
    effect_reason: str
    use: _UseV1 | None = None
    notes: tuple[str, ...] = ()

    def removal(self) -> Removal:
        """The removal."""
        use = self.use.value() if self.use is not None else UseUnknown()
        return Removal(self.value(), self.reason, self.effect, self.effect_reason, use, self.notes)


def removal_v1(one: Removal) -> RemovalV1:
    """A removal as it is written."""
    return RemovalV1(
        kind=grantee_kind(one.grantee),
        grantee=grantee_id(one.grantee),
        reason=one.reason,
        effect=one.effect,
        effect_reason=one.effect_reason,
        use=_use_v1(one.use),
        notes=one.notes,
    )


def _use_v1(use: Use) -> _UseV1 | None:
    match use:
        case UseUnknown(""):
            return None
        case UseUnknown(reason):
            return _UseUnknownV1(state="unknown", reason=reason)
        case NotInUse(as_of):
            return _NotInUseV1(state="not_in_use", as_of=as_of)
        case InUse(as_of, entries):
            written = (
                _UsageEntryV1(account_id=one.account_id, resource_type=one.resource_type, count=one.count)
                for one in entries
            )
            return _InUseV1(state="in_use", as_of=as_of, entries=tuple(written))
        case _:
            assert_never(use)
