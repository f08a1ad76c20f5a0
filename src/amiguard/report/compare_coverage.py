"""Why a report does not hold a result that another one holds: what it did not look at or read is never gone."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from amiguard.core.checks.registry import ADDITIONAL, CHECK_IDS
from amiguard.core.result import ALL_REGIONS
from amiguard.report.json_v1 import TargetV1
from amiguard.report.saved_report import SavedReport

_ALWAYS = frozenset(CHECK_IDS) - ADDITIONAL


class Absence(StrEnum):
    """Why a result is not in a report."""

    GONE = "absent"
    """Its target was audited, and there is no such image."""
    NOT_FAILING = "not_shown"
    """It is gone, passes or is suppressed: the report does not hold what passes, or what is suppressed (`--status`)."""
    NOT_SHOWN = "may_be_not_shown"
    """Nothing can be said: the report does not hold all that fails or is unknown (`--status`)."""
    NOT_READ = "not_read"
    """Its target failed, or was skipped."""
    NOT_LOOKED_AT = "not_looked_at"
    """Its target, its image or its check was not asked for."""


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a result is not in a report, in a word and in words (of others, too)."""

    absence: Absence
    reason: str


class Coverage:
    """What a report looked at, and what of that it has read.

    Args:
        report: the report.
        check_ids: the checks that it holds a result of.
    """

    def __init__(self, report: SavedReport, check_ids: Collection[str]) -> None:
        self._targets: dict[tuple[str, str], TargetV1] = {}
        for target in report.targets:
            place = target["account_id"], target["region"]
            known = self._targets.get(place)
            if known is None or known["status"] == "audited":
                self._targets[place] = target
        self._narrowed = report.audit.get("narrowed_to")
        self._check_ids = frozenset(check_ids)
        self._hidden = frozenset(report.not_shown)

    def looked_at(self, account_id: str, region: str) -> bool:
        """Whether the report names the target, or the account as a whole."""
        return self._target(account_id, region) is not None

    def why_absent(self, *, account_id: str, region: str, check_id: str, image_id: str | None) -> Absent:
        """Why the report does not hold a result of another report; `image_id` is None if it is about a whole target."""
        target = self._target(account_id, region)
        if target is None:
            return Absent(Absence.NOT_LOOKED_AT, "its account and region were not audited")
        if target["status"] != "audited":
            became = "failed" if target["status"] == "failed" else "was skipped"
            return Absent(Absence.NOT_READ, f"its target {became}: {target['reason']}")
        if unlooked := self._not_narrowed_to(image_id):
            return Absent(Absence.NOT_LOOKED_AT, unlooked)
        if self._hidden & {"fail", "unknown"}:
            return Absent(Absence.NOT_SHOWN, "the report does not hold all that fails or is unknown")
        return self._of_check(check_id, image_id)

    def _target(self, account_id: str, region: str) -> TargetV1 | None:
        return self._targets.get((account_id, region)) or self._targets.get((account_id, ALL_REGIONS))

    def _of_check(self, check_id: str, image_id: str | None) -> Absent:
        """Of a target that was audited, and an image that was asked for."""
        made = check_id in _ALWAYS or check_id in self._check_ids
        if self._hidden:
            if made:
                return Absent(Absence.NOT_FAILING, "it passes, is suppressed, or is gone")
            return Absent(Absence.NOT_SHOWN, f"whether the check {check_id} was made is not shown")
        # A target is never gone: where it has no result of its own, the check was not made.
        if image_id is None or not made:
            return Absent(Absence.NOT_LOOKED_AT, f"the check {check_id} was not made")
        return Absent(Absence.GONE, "the image is gone")

    def _not_narrowed_to(self, image_id: str | None) -> str:
        if self._narrowed is None or image_id is None:
            return ""
        images = self._narrowed["images"]
        if images and image_id not in images:
            return "the audit was narrowed to other images"
        # Whether an image is gone or has lost a tag cannot be told.
        return "the audit was narrowed to images with certain tags" if self._narrowed["tags"] else ""
