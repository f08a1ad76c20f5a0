"""The settings of one run, in core's types, with the places where they are written."""

from dataclasses import dataclass, field
from pathlib import Path

from amiguard.core.evidence import EvidenceSettings
from amiguard.core.exception import ImageException
from amiguard.core.notification import NotifyEntry
from amiguard.core.remediation import RemediationSettings
from amiguard.core.scope import Scope
from amiguard.core.trust import TrustPolicy


@dataclass(frozen=True, slots=True)
class Settings:
    """What the settings file says, or the command line in its stead."""

    policy: TrustPolicy
    entry_places: tuple[str, ...]
    """Where each entry of the policy is written, in the policy's order: `amiguard.yaml:7:9: trust.accounts[2]`."""
    trusts_nobody: bool = False
    """The file says `trust: nobody`: that the policy has no entries is on purpose."""
    exceptions: tuple[ImageException, ...] = ()
    exception_places: tuple[str, ...] = ()
    scope: Scope = field(default_factory=Scope)
    """What is to be audited."""
    checks: frozenset[str] = frozenset()
    """The ids of the checks to make besides that of images, which is always made."""
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    """What is collected about failing images."""
    remediation: RemediationSettings = field(default_factory=RemediationSettings)
    """How images are changed, and which never are."""
    notify: tuple[NotifyEntry, ...] = ()
    """Who is told of an audit, in the file's order."""
    vendors: Path | None = None
    """The list of vendors' accounts; None if there is none."""
    conformity_rule_id: str | None = None
    """How the report format `conformity` calls the check of images; None for its default."""
    warnings: tuple[str, ...] = ()
    """What is legal and yet worth a look, a line each, with its place and the mend."""
    path: Path | None = None
    """The file; None if there is none."""

    @property
    def regions(self) -> tuple[str, ...] | None:
        """The regions to audit; None is all that are enabled."""
        return self.scope.regions
