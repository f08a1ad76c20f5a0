"""`amiguard plan --from`: the results of a saved report, each judged anew by today's rules."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Protocol

from amiguard.aws.session import Caller
from amiguard.core.checks import ami_block_public_access, ami_cross_account_access, ami_snapshot_cross_account
from amiguard.core.checks.metadata import CheckMetadata
from amiguard.core.decision import Rules
from amiguard.core.errors import InputError, TargetsError
from amiguard.core.evidence import Evidence
from amiguard.core.image import LaunchPermission, Unreadable
from amiguard.core.result import CheckResult, Status, Target
from amiguard.report.evidence_values import core_evidence
from amiguard.report.saved_report import SavedReport, core_result


class Narrowing(Protocol):
    """What is planned for, of all that a report holds; empty is all."""

    @property
    def accounts(self) -> frozenset[str]:
        """Account ids."""
        ...

    @property
    def regions(self) -> frozenset[str]:
        """Region names."""
        ...

    @property
    def images(self) -> frozenset[str]:
        """Image ids."""
        ...

    @property
    def block_public_access(self) -> bool:
        """Whether the report must say how image block public access stands."""
        ...

    @property
    def snapshots(self) -> bool:
        """Whether the report must say who may use the snapshots under images."""
        ...


async def judge_saved(
    saved: SavedReport,
    caller: Caller,
    wanted: Narrowing,
    *,
    note: Callable[[CheckResult, Evidence | None], None],
    rules_of: Callable[[Target], Awaitable[Rules | Unreadable]],
) -> bool:
    """Judge the results of a report anew.

    Args:
        saved: the report.
        caller: who plans: the report must be of the same account's caller.
        wanted: which of the results count.
        note: is given each result, judged anew, and what evidence the report has about it.
        rules_of: gives the rules of a target's account.

    Returns:
        Whether the report was complete.

    Raises:
        InputError: the report is another account's, or lacks what is wanted of it.
        TargetsError: a named image is not in the report.
    """
    _refuse_foreign(saved, caller)
    missing = set(wanted.images)
    told: set[str] = set()
    for written in saved.results():
        result = core_result(written)
        if not _counts(result, wanted):
            continue
        if result.image is not None:
            missing.discard(result.image.image_id)
        told.add(result.check_id)
        rules = await rules_of(result.target)
        evidence = core_evidence(written["evidence"]) if "evidence" in written else None
        note(_judged_anew(result, rules), evidence)
    if missing:
        raise TargetsError(f"not in the report: {', '.join(sorted(missing))}", hint="check the id, or audit again")
    if wanted.block_public_access:
        _refuse_untold(saved, told, ami_block_public_access.METADATA, "how image block public access stands")
    # An audit of no image has no result about snapshots.
    if wanted.snapshots and ami_cross_account_access.METADATA.check_id in told:
        _refuse_untold(saved, told, ami_snapshot_cross_account.METADATA, "who may use the snapshots under images")
    return saved.audit["complete"]


def _refuse_untold(saved: SavedReport, told: Collection[str], check: CheckMetadata, what: str) -> None:
    if check.check_id not in told:
        raise InputError(
            f"{saved.path} does not say {what}",
            hint=f"audit with --check {check.check_id}, or plan without --from",
        )


def _refuse_foreign(saved: SavedReport, caller: Caller) -> None:
    audited_by = saved.audit["caller_arn"].split(":")
    if len(audited_by) < 6 or audited_by[4] != caller.account_id:  # noqa: PLR2004 - fields of an ARN
        raise InputError(
            f"{saved.path} is the report of a caller in another account than yours, {caller.account_id}",
            hint="plan with the credentials that the audit had, or audit again",
        )


def _counts(result: CheckResult, wanted: Narrowing) -> bool:
    target, image = result.target, result.image
    return (
        (not wanted.accounts or target.account_id in wanted.accounts)
        and (not wanted.regions or target.region in wanted.regions)
        and (not wanted.images or (image is not None and image.image_id in wanted.images))
    )


def _judged_anew(result: CheckResult, rules: Rules | Unreadable) -> CheckResult:
    """The result by today's rules; what was not read when the report was made stays unknown."""
    image = result.image
    if image is None or (result.status is Status.UNKNOWN and not result.decisions):
        return result
    if isinstance(rules, Unreadable):
        return replace(result, status=Status.UNKNOWN, decisions=(), message=rules.reason)
    if result.check_id == ami_snapshot_cross_account.METADATA.check_id:
        return ami_snapshot_cross_account.evaluate(image, result.snapshots, rules)
    permission = LaunchPermission(tuple(one.grantee for one in result.decisions))
    return ami_cross_account_access.evaluate(image, permission, rules)
