"""AssumeRole: whom a role trusts, and the session that it opens. What was asked is in the newest calls of the stats."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .calls import Call
from .context import Context
from .organizations_data import FakeRole
from .replies import AwsProblem


def assume_role(call: Call, context: Context) -> Mapping[str, Any]:
    """Open a session, or refuse as AWS does: a role that is not there is AccessDenied too."""
    asked = call.parameters
    arn, session = asked.get("RoleArn", ""), asked.get("RoleSessionName", "")
    account_id, path = arn.split(":")[4:6] if arn.count(":") == 5 else ("", "")
    name = path.rpartition("/")[2]
    role = _find_role(context, account_id, name)
    if role is None or not _trusts(role, call):
        caller = context.store.caller_arn(call.account_id, call.access_key_id)
        raise AwsProblem(
            "AccessDenied", f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}", 403
        )
    seconds = int(asked.get("DurationSeconds", "3600"))
    _check_duration(seconds, role, call, context)
    leads_to = role.leads_to or account_id
    assumed = f"arn:{context.store.estate.partition}:sts::{leads_to}:assumed-role/{name}/{session}"
    credentials = context.store.open_session(leads_to, assumed)
    lifetime = seconds if role.lifetime is None else role.lifetime
    return {
        "Credentials": {
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "SessionToken": credentials.session_token,
            "Expiration": datetime.now(UTC) + timedelta(seconds=lifetime),
        },
        "AssumedRoleUser": {"AssumedRoleId": f"AROA{leads_to}:{session}", "Arn": assumed},
        "SourceIdentity": asked.get("SourceIdentity"),
    }


def _find_role(context: Context, account_id: str, name: str) -> FakeRole | None:
    account = context.store.account(account_id)
    if account is None:
        return None
    if isinstance(account.roles, Mapping):
        return account.roles.get(name)
    return FakeRole() if account.roles is None or name in account.roles else None


def _trusts(role: FakeRole, call: Call) -> bool:
    named = role.trusts is None or call.account_id in role.trusts
    return named and role.external_id in (None, call.parameters.get("ExternalId"))


def _check_duration(seconds: int, role: FakeRole, call: Call, context: Context) -> None:
    if ":assumed-role/" in context.store.caller_arn(call.account_id, call.access_key_id) and seconds > 3600:
        raise AwsProblem(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        )
    if seconds > role.longest:
        raise AwsProblem(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
