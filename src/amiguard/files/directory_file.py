"""The directory of an organization in a file, for audits that may not read it: JSON, version 1.

    {"schema_version": "1", "organization_id", "management_account_id", "read_at",
     "accounts": [{"id", "name", "state", "units"}], "units": [{"id", "name", "above"}]}

`units` and `above` are ids of units, outermost first. Members may be added to version 1; those here keep their meaning.
The file says whom the policy trusts by membership, so that what is doubtful in it is refused, and never repaired.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, assert_never

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from amiguard.core.directory import Directory, MemberAccount, Unit
from amiguard.core.errors import SettingsError
from amiguard.core.organization import NoOrganization, OrganizationUnread, OrganizationView, OwnOrganization
from amiguard.files.bounded import TooLargeError, read_bounded
from amiguard.files.private_file import write_private_file
from amiguard.files.problems import written_path

SCHEMA_VERSION = "1"
MAX_AGE = timedelta(days=7)
"""How old a file may be unless the user says otherwise."""
MAX_BYTES = 64 << 20
"""A hundred thousand accounts and more: of a larger file not all is read."""
_CLOCKS_DIFFER = timedelta(minutes=5)
_HINT = "save it anew with `amiguard trust snapshot`"
_MOST_TOLD = 3

_AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
_OrganizationId = Annotated[str, Field(pattern=r"^o-[a-z0-9]{10,32}$")]
_UnitId = Annotated[str, Field(pattern=r"^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$")]


class _Record(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class _Account(_Record):
    id: _AccountId
    name: str
    state: str
    units: tuple[_UnitId, ...]


class _Unit(_Record):
    id: _UnitId
    name: str
    above: tuple[_UnitId, ...]


class _Document(_Record):
    schema_version: Literal["1"]
    organization_id: _OrganizationId
    management_account_id: _AccountId
    read_at: AwareDatetime
    accounts: tuple[_Account, ...]
    units: tuple[_Unit, ...]

    @model_validator(mode="after")
    def _hangs_together(self) -> "_Document":
        above = {unit.id: unit.above for unit in self.units}
        if len(above) < len(self.units):
            raise ValueError("a unit is listed twice")
        if len({account.id for account in self.accounts}) < len(self.accounts):
            raise ValueError("an account is listed twice")
        for path in {*above.values(), *(account.units for account in self.accounts)}:
            for depth, unit_id in enumerate(path):
                if above.get(unit_id) != path[:depth]:
                    raise ValueError(f"the units above {unit_id} are told in two ways, or not at all")
        return self


def save_directory(path: Path, directory: Directory) -> None:
    """Write a directory to a file that only its owner may read; a file that is there is replaced at once, or stays.

    Raises:
        OutputError: it cannot be written.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "organization_id": directory.organization_id,
        "management_account_id": directory.management_account_id,
        "read_at": directory.read_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "accounts": [
            {"id": one.account_id, "name": one.name, "state": one.state, "units": one.units}
            for one in sorted(directory.accounts.values(), key=lambda one: one.account_id)
        ],
        "units": [
            {"id": one.unit_id, "name": one.name, "above": one.above}
            for one in sorted(directory.units.values(), key=lambda one: one.unit_id)
        ],
    }
    write_private_file(path, json.dumps(document, indent=1).encode() + b"\n")


def load_directory(path: Path) -> Directory:
    """Read a directory from a file.

    Raises:
        SettingsError: it cannot be read, is of another kind or of a newer version, or something in it is missing, is of
            the wrong type, or contradicts the rest.
    """
    try:
        data = read_bounded(path, MAX_BYTES)
    except TooLargeError as error:
        large = f"{path} is larger than {MAX_BYTES // 1024**2} MiB: this is no directory"
        raise SettingsError(large, hint=_HINT) from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error
    _check_version(path, data)
    try:
        document = _Document.model_validate_json(data)
        read_at = document.read_at.astimezone(UTC)
    except ValidationError as error:
        raise SettingsError(f"{path} is not a whole directory: {_told(error)}", hint=_HINT) from error
    except OverflowError as error:
        raise SettingsError(f"{path} is not a whole directory: read_at: no time in UTC", hint=_HINT) from error
    return Directory(
        organization_id=document.organization_id,
        management_account_id=document.management_account_id,
        accounts={one.id: MemberAccount(one.id, one.name, one.state, one.units) for one in document.accounts},
        units={one.id: Unit(one.id, one.name, one.above) for one in document.units},
        read_at=read_at,
        saved=True,
    )


def why_not_usable(
    directory: Directory, described: OrganizationView, *, now: datetime, max_age: timedelta = MAX_AGE
) -> str | None:
    """Why a directory from a file must not decide about members; None if it may.

    Args:
        directory: as it was loaded.
        described: what DescribeOrganization says of the audited account's organization.
        now: the start of the run.
        max_age: how old it may be.
    """
    date = f"{directory.read_at:%Y-%m-%d}"
    if directory.read_at > now + _CLOCKS_DIFFER:
        return f"the directory file is dated {date}, which is to come"
    if now - directory.read_at > max_age:
        return f"the directory file is of {date}, and older than {_in_words(max_age)}: {_HINT}"
    match described:
        case NoOrganization():
            return f"the directory file is of {directory.organization_id}, and the account is in no organization"
        case OrganizationUnread(reason):
            return f"whether the directory file is of the account's own organization is not known: {reason}"
        case OwnOrganization(organization_id, management_account_id):
            own = (organization_id, management_account_id)
            if own == (directory.organization_id, directory.management_account_id):
                return None
            return (
                f"the directory file is of {directory.organization_id} (managed by "
                f"{directory.management_account_id}), and the account is in {organization_id} (managed by "
                f"{management_account_id})"
            )
        case _:
            assert_never(described)


def _in_words(age: timedelta) -> str:
    for unit, name in ((timedelta(days=1), "days"), (timedelta(hours=1), "hours"), (timedelta(minutes=1), "minutes")):
        if age >= 2 * unit:
            return f"{age / unit:g} {name}"
    return f"{age.total_seconds():g} seconds"


def _check_version(path: Path, data: bytes) -> None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not JSON", hint=_HINT) from error
    version = found.get("schema_version") if isinstance(found, dict) else None
    if not isinstance(version, str):
        raise SettingsError(f"{path} is not a directory file: it has no schema_version", hint=_HINT)
    if version != SCHEMA_VERSION:
        newer = re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)*", version) is not None and int(version.split(".")[0]) > int(
            SCHEMA_VERSION
        )
        hint = "install the amiguard that wrote it, or a later one" if newer else _HINT
        raise SettingsError(f"{path} is of version {version!r}, and this amiguard reads {SCHEMA_VERSION!r}", hint=hint)


def _told(error: ValidationError) -> str:
    mistakes = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{written_path(one['loc'])}: {one['msg']}" if one["loc"] else one["msg"] for one in mistakes[:_MOST_TOLD]]
    more = len(mistakes) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")
