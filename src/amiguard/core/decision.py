"""How a grantee is decided: the trust policy, what is known of the organization, and the exceptions, joined."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import assert_never

from amiguard.core.coverage import Covered, MayCover, NotCovered, coverage
from amiguard.core.exception import AcceptedGrantee, AnyGrantee, ImageException, TagSelector
from amiguard.core.grantee import Account, Everyone, Grantee, Unrecognized
from amiguard.core.image import Image
from amiguard.core.organization import OrganizationView
from amiguard.core.trust import TrustedAccount, TrustEntry, TrustPolicy


class Verdict(StrEnum):
    """What is decided about one grantee of one image."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    EXCEPTED = "excepted"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Decision:
    """One grantee, what was decided about it, and why."""

    grantee: Grantee
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that a decision depends on, joined by `rules_in_force`, which is how to make one."""

    today: date
    organization: OrganizationView
    exceptions: tuple[ImageException, ...]
    account_entries: Mapping[str, tuple[TrustEntry, ...]]
    """Entries that name an account, by its id: policies list hundreds, images hundreds of grantees."""
    group_entries: tuple[TrustEntry, ...]
    """Entries that name organizations and units."""


def rules_in_force(
    policy: TrustPolicy,
    exceptions: tuple[ImageException, ...],
    *,
    today: date,
    organization: OrganizationView,
) -> Rules:
    """Join what decides.

    Args:
        policy: who is trusted.
        exceptions: what is accepted on purpose.
        today: the day (UTC) on which entries and exceptions are in force, or not.
        organization: what is known of the audited account's organization.
    """
    accounts: defaultdict[str, list[TrustEntry]] = defaultdict(list)
    groups: list[TrustEntry] = []
    for entry in policy.entries:
        if isinstance(entry.trustee, TrustedAccount):
            accounts[entry.trustee.account_id].append(entry)
        else:
            groups.append(entry)
    return Rules(
        today=today,
        organization=organization,
        exceptions=exceptions,
        account_entries={account_id: tuple(entries) for account_id, entries in accounts.items()},
        group_entries=tuple(groups),
    )


def decide(grantee: Grantee, image: Image, rules: Rules, *, may: str = "launch it") -> Decision:
    """Decide one grantee of one image; the first rule that speaks wins, exceptions have the last word.

    Args:
        grantee: of the image, or of a snapshot under it.
        image: exceptions are about images.
        rules: what decides.
        may: what the grant lets the grantee do, for the reason.
    """
    decision = _decide_by_trust(grantee, image, rules, may)
    if decision.verdict is Verdict.TRUSTED:
        return decision
    lapsed = ""
    for exception in rules.exceptions:
        if not exception.matches(image, grantee):
            continue
        if exception.in_force(rules.today):
            until = f", until {exception.expires}" if exception.expires else ""
            return Decision(grantee, Verdict.EXCEPTED, f"accepted by {exception.owner}{until}: {exception.reason}")
        lapsed = f"; the exception of {exception.owner} lapsed after {exception.expires}"
    return Decision(grantee, decision.verdict, decision.reason + lapsed) if lapsed else decision


def _decide_by_trust(grantee: Grantee, image: Image, rules: Rules, may: str) -> Decision:
    match grantee:
        case Account(account_id) if account_id == image.account_id:
            return Decision(grantee, Verdict.TRUSTED, "the image's own account")
        case Everyone():
            return Decision(grantee, Verdict.UNTRUSTED, f"every AWS account may {may}")
        case Unrecognized():
            return Decision(grantee, Verdict.UNDETERMINED, "this version does not know this kind of grant")
        case _:
            return _decide_by_entries(grantee, rules)


def _decide_by_entries(grantee: Grantee, rules: Rules) -> Decision:
    listed = rules.account_entries.get(grantee.account_id, ()) if isinstance(grantee, Account) else ()
    doubts: list[str] = []
    lapsed = ""
    for entry in (*listed, *rules.group_entries):
        match coverage(entry, grantee, rules.organization):
            case Covered(how) if entry.in_force(rules.today):
                until = f", until {entry.expires}" if entry.expires else ""
                return Decision(grantee, Verdict.TRUSTED, f"trusted: {how}{until}")
            case Covered(how):
                lapsed = f"; its trust ({how}) lapsed after {entry.expires}"
            case MayCover(why) if entry.in_force(rules.today):
                doubts.append(why)
            case MayCover() | NotCovered():
                pass
            case unreachable:
                assert_never(unreachable)
    if doubts:
        return Decision(grantee, Verdict.UNDETERMINED, "; ".join(dict.fromkeys(doubts)) + lapsed)
    return Decision(grantee, Verdict.UNTRUSTED, "not in the trust policy" + lapsed)


def policy_digest(policy: TrustPolicy, exceptions: tuple[ImageException, ...]) -> str:
    """SHA-256 (hex) over what decides: trustees, accepted pairs and dates; names, reasons and order do not count."""
    trusted = sorted([_canonical(entry.trustee), str(entry.expires)] for entry in policy.entries)
    accepted = sorted(
        [
            json.dumps([sorted(one.images.ids), sorted(one.images.names), sorted(map(_canonical, one.images.tags))]),
            json.dumps([sorted(one.images.accounts), sorted(one.images.regions)]),
            "any" if isinstance(one.grantees, AnyGrantee) else json.dumps(sorted(map(_canonical, one.grantees))),
            str(one.expires),
        ]
        for one in exceptions
    )
    return hashlib.sha256(json.dumps([trusted, accepted]).encode()).hexdigest()


def _canonical(value: AcceptedGrantee | TagSelector) -> str:
    return json.dumps(asdict(value), sort_keys=True)
