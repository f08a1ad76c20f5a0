"""The review of a trust policy: what is unused, who is known or excepted in vain, and when that is not claimed."""

import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from amiguard.core.directory import MemberAccount
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector, TagSelector
from amiguard.core.grantee import Account, Everyone, Grantee, Organization, OrganizationalUnit
from amiguard.core.result import CheckResult
from amiguard.core.review_grantees import is_candidate
from amiguard.core.review_survey import AuditScope, survey_grants
from amiguard.core.review_types import ReviewKind, ReviewSeverity
from amiguard.core.trust import TrustEntry, parse_trustee
from tests.unit.review_samples import (
    ARN,
    FOREIGN,
    FRIEND,
    INNER,
    KINDS,
    MANAGER,
    MEMBER,
    ORGANIZATION,
    OUTER,
    OWNER,
    PARTNER,
    STRANGER,
    TODAY,
    WHOLE,
    directory,
    entry,
    found,
    known,
    placed,
    result,
    reviewed,
)


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
