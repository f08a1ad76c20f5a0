"""Notifications of an audit: ready before it begins, so that a mistake is told at once, and sent when it has ended."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amiguard.aws.sns import open_topic
from amiguard.cli.audit_session import AuditSession
from amiguard.cli.talk import complain
from amiguard.core.errors import AmiguardError
from amiguard.core.notification import NotifyOn
from amiguard.core.result import Status
from amiguard.files.notify_state import NotifyState, notify_scope
from amiguard.files.state_folder import state_folder
from amiguard.notify.channels import Channel, open_channels
from amiguard.notify.deliver import deliver
from amiguard.notify.survey import survey
from amiguard.report.interface import Report, StatusFilter

_FAILING = StatusFilter.of((Status.FAIL,))


@dataclass(frozen=True, slots=True)
class Notifier:
    """Who is told of an audit, and what they were told last."""

    channels: tuple[Channel, ...]
    memory: NotifyState | None

    def tell(self, report: Report, files: Sequence[Path]) -> bool:
        """Tell those who want to know.

        Args:
            report: all that the audit found.
            files: where it was written.

        Returns:
            Whether every message arrived; what did not was told.
        """
        found = survey(audit=report.audit, summary=report.summary, results=report.results(_FAILING))
        failures = deliver(found, self.channels, memory=self.memory, report_files=[str(path) for path in files])
        for failure in failures:
            complain(AmiguardError(str(failure)))
        return not failures


def open_notifier(session: AuditSession) -> Notifier | None:
    """Get ready to notify as the settings say; None if they do not.

    Raises:
        AmiguardError: an entry of `notify` cannot be used, or there is nowhere to keep what was told last.
    """
    request = session.request
    entries = request.settings.notify
    if not entries:
        return None
    channels = open_channels(
        entries,
        environment=os.environ,
        open_topic=lambda arn: open_topic(session.session, session.caller, arn),
    )
    memory = None
    if any(entry.on is NotifyOn.CHANGE for entry in entries):
        scope = request.scope
        asked = [scope.regions, scope.accounts, scope.organization, request.image_ids, request.tags]
        looked_at = [*map(repr, asked), sorted(request.checks)]
        path = request.settings.path
        memory = NotifyState(state_folder(os.environ), notify_scope(session.caller.account_id, path, looked_at))
    return Notifier(channels, memory)
