"""What reviews are made of: a policy, a directory, results."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from amiguard.core.decision import Decision, Verdict
from amiguard.core.directory import Directory, MemberAccount, Unit
from amiguard.core.exception import ImageException
from amiguard.core.grantee import Grantee
from amiguard.core.image import Image
from amiguard.core.result import CheckResult, Severity, Status, Target
from amiguard.core.review import Review, review_policy
from amiguard.core.review_grantees import is_candidate
from amiguard.core.review_survey import AuditScope, survey_grants
from amiguard.core.review_types import Known, PlacedPolicy, ReviewFinding, ReviewKind
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee

TODAY = date(2026, 9, 15)
OWNER, FRIEND, PARTNER, STRANGER = "111111111111", "222233334444", "555566667777", "999900001111"
MANAGER, MEMBER = "121212121212", "343434343434"
ORGANIZATION, FOREIGN = "o-abcdefghij", "o-zzzzzzzzzz"
OUTER, INNER = "ou-ab12-outer000", "ou-ab12-inner000"
ARN = f"arn:aws:organizations::{MANAGER}"
KINDS = ReviewKind


def entry(text: str, *, name: str | None = "N", reason: str | None = "R", expires: date | None = None) -> TrustEntry:
    return TrustEntry(parse_trustee(text), name, reason, expires)


def placed(*entries: TrustEntry, exceptions: Sequence[ImageException] = ()) -> PlacedPolicy:
    return PlacedPolicy(
        TrustPolicy(entries),
        tuple(f"amiguard.yaml:{number}:1" for number, _ in enumerate(entries, 1)),
        tuple(exceptions),
        tuple(f"amiguard.yaml:{number}:3" for number, _ in enumerate(exceptions, 100)),
    )


def directory(*accounts: MemberAccount) -> Directory:
    listed = (
        MemberAccount(MANAGER, "Management", "ACTIVE"),
        MemberAccount(OWNER, "Images", "ACTIVE"),
        MemberAccount(MEMBER, "Shop", "ACTIVE", (OUTER, INNER)),
        *accounts,
    )
    return Directory(
        ORGANIZATION,
        MANAGER,
        accounts={one.account_id: one for one in listed},
        units={OUTER: Unit(OUTER, "Workloads"), INNER: Unit(INNER, "Production", (OUTER,))},
        read_at=datetime(2026, 9, 14, tzinfo=UTC),
    )


def result(number: int, *grantees: Grantee, owner: str = OWNER, name: str = "golden", tags: str = "") -> CheckResult:
    image = Image(f"ami-{number:017x}", owner, "eu-central-1", "aws", name=name, tags=((tags, ""),) if tags else ())
    return CheckResult(
        "ami-cross-account-access",
        Status.PASS,
        Severity.HIGH,
        Target(owner, "eu-central-1", "aws"),
        image,
        # What the audit decided does not matter: grants are judged by the policy of today.
        tuple(Decision(one, Verdict.UNDETERMINED, "") for one in grantees),
        "",
    )


WHOLE = AuditScope(accounts=frozenset({OWNER}), regions=frozenset({"eu-central-1"}))


def known(members: Directory | None = None, **more: object) -> Known:
    return replace(Known(TODAY, timedelta(days=30), members), **more)  # type: ignore[arg-type]  # checked by replace


def reviewed(
    policy: PlacedPolicy, facts: Known, results: Sequence[CheckResult] | None = None, scope: AuditScope = WHOLE
) -> Review:
    survey = None
    if results is not None:
        survey = survey_grants(results, policy, facts, scope, of_interest=lambda one: is_candidate(one, facts))
    return review_policy(policy, facts, survey)


def found(review: Review, kind: ReviewKind) -> list[ReviewFinding]:
    return [one for one in review.findings if one.kind is kind]
