"""The journal of a dry run: nothing is done, and so nothing is written down."""

from amiguard.core.edit import Edit, Step
from amiguard.core.remediation import ChangeStatus


class NoJournal:
    """A `core.ports.ChangeJournal` of a run that must not change anything."""

    def known(self, key: str) -> None:
        """Nothing: there was no earlier run."""
        del key

    def intend(self, edit: Edit, step: Step | None) -> None:
        """Refuse: a call that would need this would change something.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"a dry run was about to change {edit.key} ({step})")

    def conclude(self, edit: Edit, status: ChangeStatus, reason: str = "", *, may_have_effect: bool = True) -> None:
        """Refuse likewise.

        Raises:
            RuntimeError: always.
        """
        del may_have_effect
        raise RuntimeError(f"a dry run has changed {edit.key}: {status} {reason}")
