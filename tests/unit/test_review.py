"""The review of a trust policy: every kind of finding, and when it must not be claimed."""

import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from amiguard.core.decision import Decision, Verdict
from amiguard.core.directory import Directory, MemberAccount, Unit
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector, TagSelector
from amiguard.core.grantee import Account, Everyone, Grantee, Organization, OrganizationalUnit
from amiguard.core.image import Image
from amiguard.core.result import CheckResult, Severity, Status, Target
from amiguard.core.review import Review, review_policy
from amiguard.core.review_grantees import is_candidate
from amiguard.core.review_survey import AuditScope, survey_grants
from amiguard.core.review_types import Known, PlacedPolicy, ReviewFinding, ReviewKind, ReviewSeverity
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


def kinds(review: Review) -> list[ReviewKind]:
    return [one.kind for one in review.findings]


def test_a_policy_in_order_has_no_finding() -> None:
    policy = placed(entry(FRIEND, expires=date(2027, 1, 1)), entry("own", name=None, reason=None))
    review = reviewed(policy, known(directory()), [result(1, Account(FRIEND), Account(MEMBER))])
    assert review.findings == ()
    assert review.notes == ()
    assert not review.needs_attention
    assert [one.uses for one in review.entries] == [1, 1]


# Unused


@pytest.mark.parametrize(
    ("text", "grantee"),
    [
        (FRIEND, Account(FRIEND)),
        ("own", Account(MEMBER)),
        (ORGANIZATION, Account(MEMBER)),
        (FOREIGN, Organization(f"{ARN}:organization/{FOREIGN}", FOREIGN, MANAGER)),
        (FOREIGN, OrganizationalUnit(f"{ARN}:ou/{FOREIGN}/{OUTER}", FOREIGN, MANAGER, OUTER)),
        (OUTER, Account(MEMBER)),
        (OUTER, OrganizationalUnit(f"{ARN}:ou/{ORGANIZATION}/{INNER}", ORGANIZATION, MANAGER, INNER)),
    ],
)
def test_what_no_grant_uses_is_told_and_what_one_uses_is_not(text: str, grantee: Grantee) -> None:
    policy, facts = placed(entry(text)), known(directory())
    unused = reviewed(policy, facts, [result(1, Account(STRANGER))])
    (finding,) = found(unused, KINDS.UNUSED)
    assert finding.severity is ReviewSeverity.WARNING
    assert finding.place == "amiguard.yaml:1:1"
    assert finding.mend == f"amiguard trust remove {text}"
    assert "(1 image of 1 account in 1 region)" in finding.message
    used = reviewed(policy, facts, [result(1, grantee)])
    assert not found(used, KINDS.UNUSED)
    assert used.entries[0].uses == 1


@pytest.mark.parametrize(
    "scope",
    [replace(WHOLE, not_whole=("the audit is incomplete",)), replace(WHOLE, not_whole=("narrowed", "filtered"))],
)
def test_a_report_that_is_not_whole_proves_nothing_unused(scope: AuditScope) -> None:
    exception = ImageException(ImageSelector(names=("x",)), AnyGrantee(), "r", "o")
    policy = placed(entry(FRIEND), exceptions=[exception])
    review = reviewed(policy, known(directory()), [result(1, Account(STRANGER))], scope)
    assert review.findings == ()
    assert review.notes == (f"{'; '.join(scope.not_whole)}: that nothing uses an entry or exception is not claimed",)


def test_a_report_without_images_proves_nothing_unused() -> None:
    review = reviewed(placed(entry(FRIEND)), known(directory()), [])
    assert review.findings == ()
    assert review.notes == ("the report has no image: that nothing uses an entry or exception is not claimed",)


def test_an_image_s_own_account_is_no_use() -> None:
    review = reviewed(placed(entry(OWNER)), known(), [result(1, Account(OWNER))])
    assert len(found(review, KINDS.UNUSED)) == 1


def test_whether_members_use_an_entry_is_not_guessed_without_a_directory() -> None:
    review = reviewed(placed(entry("own")), known(), [result(1, Account(STRANGER))])
    assert not found(review, KINDS.UNUSED)
    assert (review.entries[0].uses, review.entries[0].may_use) == (0, 1)
    assert "hangs on members that are not known" in " ".join(review.notes)


def test_images_of_accounts_outside_of_the_directory_say_nothing_of_its_members() -> None:
    review = reviewed(placed(entry("own")), known(directory()), [result(1, Account(MEMBER), owner=STRANGER)])
    assert (review.entries[0].uses, review.entries[0].may_use) == (0, 1)


def test_other_checks_and_whole_targets_do_not_count() -> None:
    other = replace(result(1, Account(FRIEND)), check_id="ami-block-public-access", image=None)
    review = reviewed(placed(entry(FRIEND)), known(), [other, result(2)])
    assert len(found(review, KINDS.UNUSED)) == 1


# Dates


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (-1, KINDS.EXPIRED),
        (0, KINDS.EXPIRES_SOON),
        (30, KINDS.EXPIRES_SOON),
        (31, None),
    ],
)
def test_expired_and_soon(days: int, kind: ReviewKind | None) -> None:
    expires = TODAY + timedelta(days=days)
    exception = ImageException(ImageSelector(names=("x",)), AnyGrantee(), "r", "o", expires)
    review = reviewed(placed(entry(FRIEND, expires=expires), exceptions=[exception]), known())
    assert kinds(review) == ([kind, kind] if kind else [])
    assert [one.severity for one in review.findings] == ([ReviewSeverity.WARNING] * 2 if kind else [])


def test_what_expired_and_is_still_used_is_a_problem() -> None:
    lapsed = TODAY - timedelta(days=1)
    exception = ImageException(ImageSelector(names=("golden",)), (Everyone(),), "r", "o", lapsed)
    policy = placed(entry(FRIEND, expires=lapsed), exceptions=[exception])
    review = reviewed(policy, known(), [result(1, Account(FRIEND), Everyone())])
    assert kinds(review) == [KINDS.EXPIRED, KINDS.EXPIRED]
    assert {one.severity for one in review.findings} == {ReviewSeverity.PROBLEM}
    assert review.findings[0].message == (
        "expired after 2026-09-14 and trusts nobody, and the report has 1 grant for it"
    )
    assert not found(review, KINDS.UNUSED)


def test_today_is_the_last_day() -> None:
    assert found(reviewed(placed(entry(FRIEND, expires=TODAY)), known()), KINDS.EXPIRES_SOON)[0].message == (
        "expires today"
    )


# The directory


@pytest.mark.parametrize("state", ["SUSPENDED", "PENDING_CLOSURE", "CLOSED"])
def test_closed_accounts(state: str) -> None:
    members = directory(MemberAccount(FRIEND, "N", state))
    (finding,) = found(reviewed(placed(entry(FRIEND)), known(members)), KINDS.ACCOUNT_CLOSED)
    assert finding.severity is ReviewSeverity.WARNING
    active = directory(MemberAccount(FRIEND, "N", "ACTIVE"))
    assert not found(reviewed(placed(entry(FRIEND)), known(active)), KINDS.ACCOUNT_CLOSED)


def test_accounts_that_have_left() -> None:
    former = {FRIEND: "it was a member on 2026-08-01"}
    policy = placed(entry(FRIEND), entry(PARTNER))
    (finding,) = found(reviewed(policy, known(directory(), former=former)), KINDS.LEFT_ORGANIZATION)
    assert (finding.subject, finding.severity) == (FRIEND, ReviewSeverity.PROBLEM)
    assert finding.message == f"the account has left {ORGANIZATION}: it was a member on 2026-08-01"
    back = directory(MemberAccount(FRIEND, "N", "ACTIVE"))
    assert not found(reviewed(policy, known(back, former=former)), KINDS.LEFT_ORGANIZATION)


@pytest.mark.parametrize(
    ("entries", "redundant"),
    [
        (["own", MEMBER], [MEMBER]),
        ([MEMBER, ORGANIZATION], [MEMBER]),
        ([OUTER, MEMBER], [MEMBER]),
        ([f"{ORGANIZATION}/{INNER}", OUTER], [f"{ORGANIZATION}/{INNER}"]),
        (["own", INNER], [INNER]),
        (["own", ORGANIZATION], [ORGANIZATION]),
        ([ORGANIZATION, "own"], ["own"]),
        ([f"{ARN}:organization/{ORGANIZATION}", "own"], ["own"]),
        (["own", FRIEND], []),
        (["own", FOREIGN], []),
        ([INNER, OUTER, MEMBER], [INNER, MEMBER]),
        ([INNER, MANAGER], []),
        ([FRIEND, FRIEND], []),
        (["own", "own"], []),
    ],
)
def test_what_another_entry_covers_is_redundant(entries: list[str], redundant: list[str]) -> None:
    review = reviewed(placed(*map(entry, entries)), known(directory()))
    assert [one.subject for one in found(review, KINDS.REDUNDANT)] == redundant


def test_units_of_a_trusted_foreign_organization_are_redundant_without_any_directory() -> None:
    review = reviewed(placed(entry(FOREIGN), entry(f"{FOREIGN}/{OUTER}")), known())
    (finding,) = found(review, KINDS.REDUNDANT)
    assert finding.message == f"is trusted already by {FOREIGN} (N) (amiguard.yaml:1:1)"


def test_members_are_not_redundant_without_a_directory() -> None:
    assert not found(reviewed(placed(entry("own"), entry(MEMBER)), known()), KINDS.REDUNDANT)


def test_an_entry_that_lasts_longer_is_not_redundant() -> None:
    soon, later = TODAY + timedelta(days=100), TODAY + timedelta(days=200)

    def redundant(own: date | None, member: date | None) -> bool:
        policy = placed(entry("own", expires=own), entry(MEMBER, expires=member))
        return bool(found(reviewed(policy, known(directory())), KINDS.REDUNDANT))

    assert redundant(later, soon)
    assert redundant(None, soon)
    assert not redundant(soon, later)
    assert not redundant(soon, None)
    assert not redundant(TODAY - timedelta(days=1), TODAY - timedelta(days=2))


def test_members_are_not_redundant_if_accounts_outside_of_the_organization_are_audited() -> None:
    policy = placed(entry("own"), entry(MEMBER))
    assert not found(reviewed(policy, known(directory(), own_accounts=frozenset({STRANGER}))), KINDS.REDUNDANT)
    scope = replace(WHOLE, accounts=frozenset({STRANGER}))
    assert not found(reviewed(policy, known(directory()), [result(1)], scope), KINDS.REDUNDANT)
    assert found(reviewed(policy, known(directory()), [result(1)]), KINDS.REDUNDANT)


@pytest.mark.parametrize(
    ("text", "name", "differs"),
    [
        (MEMBER, "Shop", False),
        (MEMBER, " shop! ", False),
        (MEMBER, "Staging", True),
        (MEMBER, None, False),
        (OUTER, "workloads", False),
        (OUTER, "Production", True),
        (f"{FOREIGN}/{OUTER}", "Production", False),
        (FRIEND, "Staging", False),
        (PARTNER, "Vendor Inc", False),
        (PARTNER, "Other", True),
    ],
)
def test_names_that_disagree(text: str, name: str | None, *, differs: bool) -> None:
    facts = known(directory(), vendors={PARTNER: "Vendor, Inc.", MEMBER: "Vendor"})
    differing = found(reviewed(placed(entry(text, name=name)), facts), KINDS.NAME_DIFFERS)
    assert [one.severity for one in differing] == ([ReviewSeverity.WARNING] if differs else [])


def test_entries_without_words() -> None:
    policy = placed(
        entry(MEMBER, name=None, reason=None),
        entry(FRIEND, reason=None),
        entry(PARTNER),
        entry("own", name=None, reason=None),
    )
    review = reviewed(policy, known(directory()))
    messages = {one.subject: one.message for one in found(review, KINDS.UNDOCUMENTED)}
    assert messages == {
        MEMBER: "has no name and no reason (it is called Shop in the directory)",
        FRIEND: "has no reason",
    }
    assert {one.severity for one in found(review, KINDS.UNDOCUMENTED)} == {ReviewSeverity.INFORMATION}
    assert review.entries[0].name == "Shop"


# Exceptions


def exception_review(
    exception: ImageException, *results: CheckResult, entries: Sequence[TrustEntry] = ()
) -> list[ReviewKind]:
    return [
        one.kind
        for one in reviewed(placed(*entries, exceptions=[exception]), known(directory()), results).findings
        if one.subject == "exceptions[0]"
    ]


SHARED = result(1, Account(STRANGER), name="golden", tags="Public")


@pytest.mark.parametrize(
    ("selector", "grantees", "expected"),
    [
        (ImageSelector(ids=(f"ami-{1:017x}",)), AnyGrantee(), []),
        (ImageSelector(ids=(f"ami-{2:017x}",)), AnyGrantee(), [KINDS.EXCEPTION_MATCHES_NOTHING]),
        (ImageSelector(names=("gold*",)), (parse_trustee(STRANGER),), []),
        (ImageSelector(names=("gold*",)), (Everyone(),), [KINDS.EXCEPTION_MATCHES_NOTHING]),
        (ImageSelector(tags=(TagSelector("Public", None),)), AnyGrantee(), []),
        (ImageSelector(tags=(TagSelector("public", None),)), AnyGrantee(), [KINDS.EXCEPTION_MATCHES_NOTHING]),
        (ImageSelector(names=("x",), accounts=(OWNER,)), AnyGrantee(), [KINDS.EXCEPTION_MATCHES_NOTHING]),
        # The audit did not look there.
        (ImageSelector(names=("x",), accounts=(FRIEND,)), AnyGrantee(), []),
        (ImageSelector(names=("x",), regions=("us-east-1",)), AnyGrantee(), []),
    ],
)
def test_exceptions_that_match_nothing(
    selector: ImageSelector, grantees: AnyGrantee | tuple[Everyone, ...], expected: list[ReviewKind]
) -> None:
    assert exception_review(ImageException(selector, grantees, "r", "o"), SHARED) == expected


def test_exceptions_for_what_is_trusted_anyway() -> None:
    exception = ImageException(ImageSelector(names=("*",)), AnyGrantee(), "r", "o")
    trusted = [entry(STRANGER)]
    assert exception_review(exception, SHARED, entries=trusted) == [KINDS.EXCEPTION_NOT_NEEDED]
    assert exception_review(exception, SHARED, result(2, Everyone()), entries=trusted) == []
    # An entry that has expired trusts nobody.
    assert exception_review(exception, SHARED, entries=[entry(STRANGER, expires=date(2026, 1, 1))]) == []


def test_an_exception_that_may_be_needed_is_not_called_unneeded() -> None:
    exception = ImageException(ImageSelector(names=("*",)), AnyGrantee(), "r", "o")
    review = reviewed(placed(entry("own"), exceptions=[exception]), known(), [SHARED])
    assert not found(review, KINDS.EXCEPTION_NOT_NEEDED)


# Grantees


def test_untrusted_grantees_that_somebody_knows() -> None:
    unit = OrganizationalUnit(f"{ARN}:ou/{ORGANIZATION}/{INNER}", ORGANIZATION, MANAGER, INNER)
    grantees = (Account(MEMBER), Account(STRANGER), Account(PARTNER), Account(FRIEND), unit, Everyone())
    facts = known(directory(), vendors={PARTNER: "Vendor's Inc"}, options=" --config a.yaml")
    review = reviewed(placed(entry(FRIEND)), facts, [result(1, *grantees), result(2, Account(MEMBER))])
    assert [(one.kind, one.subject, one.name, one.place) for one in review.findings] == [
        (KINDS.UNTRUSTED_MEMBER, unit.arn, "Production", None),
        (KINDS.UNTRUSTED_MEMBER, MEMBER, "Shop", None),
        (KINDS.UNTRUSTED_VENDOR, PARTNER, "Vendor's Inc", None),
    ]
    assert review.findings[1].message.endswith("2 images of the report may be launched by it, untrusted")
    assert review.findings[2].mend.startswith(
        f"if it is meant to launch them: amiguard trust add {PARTNER} --name 'Vendor'\"'\"'s Inc' --config a.yaml;"
    )
    assert not review.needs_attention


def test_accepted_grantees_are_no_candidates() -> None:
    exception = ImageException(ImageSelector(names=("*",)), (parse_trustee(MEMBER),), "r", "o")
    review = reviewed(placed(exceptions=[exception]), known(directory()), [result(1, Account(MEMBER))])
    assert review.findings == ()


def test_names_that_a_shell_line_cannot_hold_are_left_out_of_commands() -> None:
    members = directory(MemberAccount(FRIEND, "a\n$(id)\x1b", "ACTIVE"))
    (finding,) = reviewed(placed(), known(members), [result(1, Account(FRIEND))]).findings
    assert f"amiguard trust add {FRIEND};" in finding.mend


# The whole


def test_without_report_and_directory_the_review_says_what_it_left_out() -> None:
    review = reviewed(placed(entry(FRIEND)), known())
    assert review.findings == ()
    assert [one.uses for one in review.entries] == [None]
    assert len(review.notes) == 2


def test_skipped_targets_are_told() -> None:
    review = reviewed(placed(), known(directory()), [result(1)], replace(WHOLE, skipped=2))
    assert review.notes == ("the audit skipped 2 targets: what is shared there does not count",)


def test_the_worst_comes_first() -> None:
    lapsed = TODAY - timedelta(days=1)
    policy = placed(entry(PARTNER, name=None), entry(MEMBER), entry(FRIEND, expires=lapsed))
    review = reviewed(policy, known(directory()), [result(1, Account(FRIEND))])
    severities = [one.severity for one in review.findings]
    assert severities == sorted(severities, key=list(ReviewSeverity).index)
    assert dict(review.counts) == {"problem": 1, "warning": 3, "information": 1}


def test_memory_does_not_grow_with_the_results() -> None:
    policy, facts = placed(entry(FRIEND), entry("own")), known(directory())

    def peak(number: int) -> int:
        def many() -> Iterator[CheckResult]:
            return (result(one % 100, Account(FRIEND), Account(MEMBER), Account(STRANGER)) for one in range(number))

        tracemalloc.start()
        try:
            survey = survey_grants(many(), policy, facts, WHOLE, of_interest=lambda one: is_candidate(one, facts))
            assert survey.uses == (number, number)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Held, so many results would take several megabytes.
    assert peak(5_000) < 500_000
