"""`amiguard policy guardrails`: named principals become a service control policy."""

import json
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import typer

from amiguard.cli.policy_options import today_utc
from amiguard.cli.policy_run import Printing, print_explained, read_settings
from amiguard.core.errors import SettingsError
from amiguard.core.iam.guardrails import IMAGES, LONGEST_SCP, SWITCHES, WHY, guardrails, limits, protections
from amiguard.core.trust import TrustedAccount, TrustPolicy
from amiguard.report.policy_explanation import ExplainedAction

_ALLOWED, _ADMIN = "--allow-principal", "--role-admin"
# IAM API Reference, Role and User; the wildcards are those of ArnLike.
_PRINCIPAL = re.compile(
    r"arn:aws[a-z-]*:iam::(?:[0-9]{12}|\*):(?:root|(?:role|user)/(?:[!-~]+/)?[A-Za-z0-9_+=,.@*?-]{1,64})"
)
_ANY_NAME = re.compile(r"[*?]+")
_SESSION = re.compile(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/]+)/.+")


def print_guardrails(
    config: Path | None,
    trust: Sequence[str] | None,
    allowed: Sequence[str],
    role_admins: Sequence[str],
    *,
    explain: bool,
    quiet: bool,
) -> None:
    """Print the policy, or why it is as it is.

    Raises:
        SettingsError: the settings are not valid, a principal is anybody, they are of several partitions, or the
            policy is too long.
        typer.BadParameter: a principal is malformed.
    """
    principals = tuple(dict.fromkeys(_principal(text, _ALLOWED) for text in allowed))
    admins = tuple(dict.fromkeys(_principal(text, _ADMIN) for text in role_admins))
    if len({arn.split(":")[1] for arn in (*principals, *admins)}) > 1:
        raise SettingsError("the principals are of several partitions: each has policies of its own")
    settings = read_settings(config, trust)
    accounts = _trusted_accounts(settings.policy)
    text = _fitting(principals, accounts, admins)
    named = (*principals, *admins)
    use = {**dict.fromkeys(IMAGES, "images"), **dict.fromkeys(SWITCHES, "block public access")}
    actions = [ExplainedAction(action, use.get(action, "snapshots"), why, "") for action, why in WHY.items()]
    actions += [ExplainedAction(action, "protection", why, "") for action, why in protections(named).items()]
    notes = [_protection(admins), *limits(named)]
    if any(not isinstance(entry.trustee, TrustedAccount) for entry in settings.policy.entries):
        notes.append(
            "IAM sees with which account a snapshot is shared, and not its organization: members of the organizations "
            "and units that the trust policy names count as not trusted here, unless they are listed as accounts"
        )
    role = settings.remediation.role
    if role is not None and not any(_is_role(principal, role.role_name) for principal in principals):
        notes.append(
            f"remediation.role_name ({role.role_name}) is not among those that may: `amiguard apply` is denied"
        )
    printing = Printing("json", explain, quiet)
    print_explained("What only the named principals may", text, actions, notes, printing)


def _protection(admins: Sequence[str]) -> str:
    if admins:
        return f"in member accounts only those of {_ADMIN} may create and change the named principals, and each other"
    return (
        "in member accounts nobody may create and change the named principals, StackSets included: name who may with "
        f"{_ADMIN}"
    )


def _principal(text: str, parameter: str) -> str:
    if session := _SESSION.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is a session: name its role, arn:{session[1]}:iam::{session[2]}:role/{session[3]}, with the "
            "role's path if it has one",
            param_hint=parameter,
        )
    if not _PRINCIPAL.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is not the ARN of a role or user: arn:aws:iam::<account or *>:role/<name>", param_hint=parameter
        )
    kind, _, name = text.split(":", 5)[5].partition("/")
    if _ANY_NAME.fullmatch(name.rpartition("/")[2]):
        raise SettingsError(
            f"{text} has wildcards alone for a name: a {kind} of whatever name would do",
            hint=f"say how those that may are called, each with {parameter}: arn:aws:iam::*:{kind}/NAME",
        )
    return text


def _is_role(principal: str, role_name: str) -> bool:
    return fnmatchcase(f"role/{role_name}", principal.split(":", 5)[5])


def _trusted_accounts(policy: TrustPolicy) -> tuple[str, ...]:
    today = today_utc()
    found = {
        entry.trustee.account_id
        for entry in policy.entries
        if isinstance(entry.trustee, TrustedAccount) and entry.in_force(today)
    }
    return tuple(sorted(found))


def _fitting(principals: Sequence[str], accounts: Sequence[str], admins: Sequence[str]) -> str:
    """The policy as people read it, or without white space if it is too long that way."""
    policy = guardrails(principals, accounts, admins)
    text = json.dumps(policy, indent=2)
    if len(text) > LONGEST_SCP:
        text = json.dumps(policy, separators=(",", ":"))
    if len(text) > LONGEST_SCP:
        raise SettingsError(
            f"the policy has {len(text):,} characters, and Organizations takes {LONGEST_SCP:,}",
            hint="name principals by a wildcard (arn:aws:iam::*:role/NAME), or fewer accounts: it has "
            f"{len(principals) + len(admins):,} principals and {len(accounts):,} trusted accounts",
        )
    return text
