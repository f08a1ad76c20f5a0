"""What evidence comes to over a whole report."""

from collections import Counter
from dataclasses import dataclass, field

from amiguard.report.evidence_facts import EvidenceFacts, full_reason, unavailable
from amiguard.report.json_v1 import ResultV1

_REASONS = 50
_OTHER = "other reasons"


@dataclass(slots=True)
class EvidenceTally:
    """What was met; it grows with the number of accounts that are met, and not with that of images.

    Attributes:
        images: about how many failing images there is evidence.
        usage_reports: of how many of them usage is known.
        in_use: how many of these an untrusted grantee uses, or may use through a grant to many.
        users: the accounts that do.
        snapshots_read: of how many images it is known who may use a snapshot under them.
        snapshots_shared: how many of these have a snapshot that an untrusted grantee may use.
        keys_read: of how many images it is known how their snapshots are encrypted.
        unprotected: how many of these have a snapshot that no key protects.
        kept_out: the grantees that a key does not admit, by kind and name.
        keeping_out: how many images have such a key.
        missing: kind and reason -> of how many images it could not be had.
    """

    images: int = 0
    usage_reports: int = 0
    in_use: int = 0
    users: set[str] = field(default_factory=set)
    snapshots_read: int = 0
    snapshots_shared: int = 0
    keys_read: int = 0
    unprotected: int = 0
    kept_out: set[tuple[str, str]] = field(default_factory=set)
    keeping_out: int = 0
    missing: Counter[tuple[str, str]] = field(default_factory=Counter)
    _last: tuple[str, str, str] | None = None
    _last_read: bool = False
    _last_shared: bool = False

    def add(self, result: ResultV1) -> None:
        """Count what is known of one image. Results come in order; a second one about an image tells of snapshots."""
        image = result["image"]
        if "evidence" not in result or image is None:
            return
        facts = EvidenceFacts(result)
        place = result["account_id"], result["region"], image["id"]
        if place != self._last:
            self._last, self._last_read, self._last_shared = place, False, False
            self._add_image(facts)
            self._add_missing(result)
        self._add_snapshots(facts)

    def _add_image(self, facts: EvidenceFacts) -> None:
        self.images += 1
        self.usage_reports += facts.usage is not None
        if users := facts.users():
            self.in_use += 1
            self.users.update(user.account_id for _, used_by in users for user in used_by)
        if facts.keys is not None:
            self.keys_read += 1
            self.unprotected += bool(facts.keys["unencrypted"])
            kept_out = facts.kept_out()
            self.keeping_out += bool(kept_out)
            self.kept_out.update(kept_out)

    def _add_snapshots(self, facts: EvidenceFacts) -> None:
        read, shared = facts.snapshots_read > 0, facts.snapshots_shared > 0
        self.snapshots_read += read and not self._last_read
        self.snapshots_shared += shared and not self._last_shared
        self._last_read |= read
        self._last_shared |= shared

    def _add_missing(self, result: ResultV1) -> None:
        for kind, problem in unavailable(result):
            reason = full_reason(problem)
            known = (kind, reason) in self.missing or len(self.missing) < _REASONS
            self.missing[kind, reason if known else _OTHER] += 1
