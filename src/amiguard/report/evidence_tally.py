"""What evidence comes to over a whole report."""

from collections import Counter
from dataclasses import dataclass, field

from amiguard.report.evidence_facts import EvidenceFacts, full_reason, unavailable
from amiguard.report.json_v1 import ResultV1

_REASONS = 50
_OTHER = "other reasons"


@dataclass(slots=True)
class EvidenceTally:
    """What was met; it grows with the number of accounts that use images, and not with that of images.

    Attributes:
        images: about how many failing images there is evidence.
        usage_reports: of how many of them usage is known.
        in_use: how many of these an untrusted grantee uses, or may use through a grant to many.
        users: the accounts that do.
        missing: kind and reason -> of how many images it could not be had.
    """

    images: int = 0
    usage_reports: int = 0
    in_use: int = 0
    users: set[str] = field(default_factory=set)
    missing: Counter[tuple[str, str]] = field(default_factory=Counter)
    _last: tuple[str, str, str] | None = None

    def add(self, result: ResultV1) -> None:
        """Count what is known of one image; results come in order, and a second one about an image is passed over."""
        image = result["image"]
        if "evidence" not in result or image is None:
            return
        place = result["account_id"], result["region"], image["id"]
        if place == self._last:
            return
        self._last = place
        self.images += 1
        facts = EvidenceFacts(result)
        self.usage_reports += facts.usage is not None
        if users := facts.users():
            self.in_use += 1
            self.users.update(user.account_id for _, used_by in users for user in used_by)
        for kind, problem in unavailable(result):
            reason = full_reason(problem)
            known = (kind, reason) in self.missing or len(self.missing) < _REASONS
            self.missing[kind, reason if known else _OTHER] += 1
