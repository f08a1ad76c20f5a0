"""Which Amazon Machine Images can be launched by AWS accounts that their owner does not trust?

The program is `amiguard`; this is its audit as a library. `audit` takes how each target is read (`ImageReader`, a port
that `amiguard.aws.reader.Ec2ImageReader` implements) and the rules that decide, and yields what it finds:

    rules = rules_in_force(TrustPolicy((TrustEntry(parse_trustee("123456789012")),)), (), today=..., organization=...)
    async for event in audit({target: reader}, rules):
        ...
"""

from amiguard.auditor import AuditEvent, ImagesListed, audit
from amiguard.core.decision import Decision, Rules, Verdict, rules_in_force
from amiguard.core.errors import AmiguardError
from amiguard.core.exception import ImageException, ImageSelector
from amiguard.core.image import Image
from amiguard.core.ports import ImageReader
from amiguard.core.result import CheckResult, Severity, Status, Target, TargetReport, TargetStatus
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee

__all__ = [
    "AmiguardError",
    "AuditEvent",
    "CheckResult",
    "Decision",
    "Image",
    "ImageException",
    "ImageReader",
    "ImageSelector",
    "ImagesListed",
    "Rules",
    "Severity",
    "Status",
    "Target",
    "TargetReport",
    "TargetStatus",
    "TrustEntry",
    "TrustPolicy",
    "Verdict",
    "audit",
    "parse_trustee",
    "rules_in_force",
]
