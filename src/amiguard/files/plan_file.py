"""The plan file: JSON that people read and review, with a digest over all of it. A plan is applied as it was made."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from amiguard.core.errors import InputError, OutputError
from amiguard.core.plan import Plan
from amiguard.files.bounded import TooLargeError, read_bounded
from amiguard.files.grants_v1 import moment_text
from amiguard.files.plan_v1 import SCHEMA_VERSION, TYPE, PlanFile, document_of
from amiguard.files.private_file import write_private_file
from amiguard.files.strict_json import NotJsonError, UnfitJsonError, canonical, digest_of, read_object, told

MAX_BYTES = 512 << 20
"""A million changes and more: of a larger file not all is read."""
_CLOCKS_DIFFER = timedelta(minutes=5)
_MAKE_AGAIN = "make it again with `amiguard plan`"


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan to a file that only its owner may read; a file that is there is replaced at once, or stays.

    Times are written to the second.

    Raises:
        OutputError: it cannot be written, or not so that it could be read again.
    """
    try:
        data = json.dumps(document_of(plan), indent=2).encode() + b"\n"
        read_object(data)
    except (ValidationError, UnfitJsonError) as error:
        why = told(error) if isinstance(error, ValidationError) else error
        raise OutputError(f"the plan cannot be written to {path}: {why}") from error
    write_private_file(path, data)


def load_plan(path: Path) -> Plan:
    """Read a plan from a file.

    Raises:
        InputError: it cannot be read, is no plan or one of another version, was changed after it was made, or something
            in it contradicts the rest.
    """
    try:
        data = read_bounded(path, MAX_BYTES)
    except TooLargeError as error:
        raise InputError(
            f"{path} is larger than {MAX_BYTES // 1024**2} MiB: this is no plan", hint=_MAKE_AGAIN
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint=_MAKE_AGAIN) from error
    try:
        found = read_object(data)
    except (NotJsonError, UnfitJsonError) as error:
        raise InputError(f"{path} is not a plan: {error}", hint=_MAKE_AGAIN) from error
    _check_kind(path, found)
    digest = found.get("digest")
    if digest != digest_of({key: value for key, value in found.items() if key != "digest"}):
        raise InputError(f"{path}: the plan was edited after it was made", hint=_MAKE_AGAIN)
    try:
        return PlanFile.model_validate_json(canonical(found)).value()
    except ValidationError as error:
        raise InputError(f"{path} is not a sound plan: {told(error)}", hint=_MAKE_AGAIN) from error


def plan_digest(plan: Plan) -> str:
    """The digest that the file of a plan has, `sha256:<hex>`: equal plans have equal ones.

    Raises:
        ValueError: no file can have the plan.
    """
    return str(document_of(plan)["digest"])


def why_not_applicable(plan: Plan, *, now: datetime, account_id: str, policy_digest: str) -> tuple[str, str] | None:
    """Why a plan must not be applied, and what to do about it; None if it may be.

    Args:
        plan: as it was loaded.
        now: the start of the run.
        account_id: of the caller.
        policy_digest: of today's policy, from `core.decision.policy_digest`.
    """
    if plan.created_at > now + _CLOCKS_DIFFER:
        return (
            f"the plan was made at {moment_text(plan.created_at)}, which is to come",
            f"set the clock of this machine, or {_MAKE_AGAIN}",
        )
    if now >= plan.expires_at:
        return f"the plan has expired at {moment_text(plan.expires_at)}", _MAKE_AGAIN
    if account_id != plan.account_id:
        return (
            f"the plan was made from account {plan.account_id}, and your credentials are of {account_id}",
            f"use credentials of {plan.account_id}, or {_MAKE_AGAIN}",
        )
    if policy_digest != plan.trust_policy_digest:
        return (
            "the plan was made by another trust policy than today's",
            f"name the settings and the --trust of that time, or {_MAKE_AGAIN}",
        )
    return None


def _check_kind(path: Path, found: dict[str, Any]) -> None:
    if found.get("type") != TYPE:
        raise InputError(f'{path} is not a plan: its type is not "{TYPE}"', hint="`amiguard plan` writes plans")
    if found.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"{path} is of another version: this amiguard reads plans of version {SCHEMA_VERSION}",
            hint=f"use the amiguard that wrote it, or {_MAKE_AGAIN}",
        )
