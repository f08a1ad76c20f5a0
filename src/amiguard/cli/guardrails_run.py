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
from amiguard.core.iam.guardrails import IMAGES, LIMITS, LONGEST_SCP, SWITCHES, WHY, guardrails
from amiguard.core.trust import TrustedAccount, TrustPolicy
from amiguard.report.policy_explanation import ExplainedAction

_PARAMETER = "--allow-principal"
# IAM API Reference, Role and User; the wildcards are those of ArnLike.
_PRINCIPAL = re.compile(
    r"arn:aws[a-z-]*:iam::(?:[0-9]{12}|\*):(?:root|(?:role|user)/(?:[!-~]+/)?[A-Za-z0-9_+=,.@*?-]{1,64})"
)
_SESSION = re.compile(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/]+)/.+")


def print_guardrails(
    config: Path | None, trust: Sequence[str] | None, allowed: Sequence[str], *, explain: bool, quiet: bool
) -> None:
    """Print the policy, or why it is as it is.

    Raises:
        SettingsError: the settings are not valid, or the policy is too long.
        typer.BadParameter: a principal is malformed.
    """
    principals = tuple(dict.fromkeys(_principal(text) for text in allowed))
    settings = read_settings(config, trust)
    accounts = _trusted_accounts(settings.policy)
    text = _fitting(principals, accounts)
    use = {**dict.fromkeys(IMAGES, "images"), **dict.fromkeys(SWITCHES, "block public access")}
    actions = [ExplainedAction(action, use.get(action, "snapshots"), why, "") for action, why in WHY.items()]
    notes = list(LIMITS)
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


def _principal(text: str) -> str:
    if session := _SESSION.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is a session: name its role, arn:{session[1]}:iam::{session[2]}:role/{session[3]}, with the "
            "role's path if it has one",
            param_hint=_PARAMETER,
        )
    if not _PRINCIPAL.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is not the ARN of a role or user: arn:aws:iam::<account or *>:role/<name>", param_hint=_PARAMETER
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


def _fitting(principals: Sequence[str], accounts: Sequence[str]) -> str:
    """The policy as people read it, or without white space if it is too long that way."""
    policy = guardrails(principals, accounts)
    text = json.dumps(policy, indent=2)
    if len(text) > LONGEST_SCP:
        text = json.dumps(policy, separators=(",", ":"))
    if len(text) > LONGEST_SCP:
        raise SettingsError(
            f"the policy has {len(text):,} characters, and Organizations takes {LONGEST_SCP:,}",
            hint="name principals by a wildcard (arn:aws:iam::*:role/NAME), or fewer accounts: it has "
            f"{len(principals):,} principals and {len(accounts):,} trusted accounts",
        )
    return text
