"""Which Amazon Machine Images can be launched by AWS accounts that their owner does not trust?

The program is `amiguard`; this is what it does, as a library. `audit` takes how accounts are read (`AccountReader`, a
port that `amiguard.aws` implements) and the rules that decide, and yields what it finds:

    rules = rules_in_force(TrustPolicy((TrustEntry(parse_trustee("123456789012")),)), (), today=..., organization=...)
    async for event in audit([account], rules):
        ...

An `Investigator` takes the failing results among them, and how evidence is read (`EvidenceOpener`), and tells what is
known about each. A `Planner` makes a `Plan` of the results; `apply`, `roll_back` and `check_states` take how each
target is opened (`TargetOpener`) and a journal (`ChangeJournal`), and yield what became of each change.
"""

from amiguard.auditor import AuditEvent, ImagesListed, audit
from amiguard.core.decision import Decision, Rules, Verdict, rules_in_force
from amiguard.core.errors import AmiguardError
from amiguard.core.evidence import Evidence, EvidenceKind
from amiguard.core.evidence_ports import EvidenceOpener, EvidenceReader
from amiguard.core.exception import ImageException, ImageSelector
from amiguard.core.image import Image
from amiguard.core.plan import Plan
from amiguard.core.planning import Planner, PlanWishes
from amiguard.core.ports import AccountReader, ChangeJournal, ImageReader, ImageWriter, TargetOpener
from amiguard.core.remediation import ChangeOutcome, ChangeStatus
from amiguard.core.result import CheckResult, Severity, Status, Target, TargetReport, TargetStatus
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee
from amiguard.investigator import Investigator
from amiguard.remediator import RemediationOptions, apply, check_states, roll_back

__all__ = [
    "AccountReader",
    "AmiguardError",
    "AuditEvent",
    "ChangeJournal",
    "ChangeOutcome",
    "ChangeStatus",
    "CheckResult",
    "Decision",
    "Evidence",
    "EvidenceKind",
    "EvidenceOpener",
    "EvidenceReader",
    "Image",
    "ImageException",
    "ImageReader",
    "ImageSelector",
    "ImageWriter",
    "ImagesListed",
    "Investigator",
    "Plan",
    "PlanWishes",
    "Planner",
    "RemediationOptions",
    "Rules",
    "Severity",
    "Status",
    "Target",
    "TargetOpener",
    "TargetReport",
    "TargetStatus",
    "TrustEntry",
    "TrustPolicy",
    "Verdict",
    "apply",
    "audit",
    "check_states",
    "parse_trustee",
    "roll_back",
    "rules_in_force",
]
