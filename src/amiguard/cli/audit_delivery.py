"""What becomes of a report besides files. That something did not arrive is told, and ends in exit code 4."""

from amiguard.aws.security_hub_delivery import Delivery
from amiguard.cli.audit_scope import Accounts
from amiguard.cli.audit_session import AuditSession
from amiguard.cli.talk import complain, say
from amiguard.core.errors import AmiguardError
from amiguard.report.asff import targets_of
from amiguard.report.interface import Report
from amiguard.report.verdict import number_of

_MOST_TOLD = 10


async def send_to_security_hub(session: AuditSession, found: Accounts, report: Report) -> bool:
    """Send the failing results to the Security Hub of each account and region, and archive what is over.

    Args:
        session: of the audit.
        found: its accounts, with their ways in.
        report: all that it found.

    Returns:
        Whether everything arrived; what did not was told.
    """
    accounts = {one.account_id: one for one in found.selection.audited}
    async with session.open_estate(found) as estate:
        delivery = await estate.security_hub(accounts).deliver(targets_of(report))
    if not session.request.quiet:
        say(
            f"Security Hub: {_findings(delivery.imported)} imported, {delivery.updated:,} updated, "
            f"{delivery.archived:,} archived"
        )
    for error in _complaints(delivery):
        complain(error)
    return delivery.complete


def _complaints(delivery: Delivery) -> list[AmiguardError]:
    errors = [
        AmiguardError(
            f"Security Hub of {one.account_id} in {one.region} did not take {_findings(one.undelivered)}: {one.reason}",
            hint=one.hint,
        )
        for one in delivery.skipped
        if one.undelivered
    ]
    errors += [
        AmiguardError(
            f"Security Hub of {one.account_id} in {one.region} did not take {one.finding_id}: {one.code}: {one.message}"
        )
        for one in delivery.failed
    ]
    if (more := len(errors) - _MOST_TOLD) > 0:
        errors[_MOST_TOLD:] = [AmiguardError(f"and {more:,} more that Security Hub did not take")]
    return errors


def _findings(number: int) -> str:
    return number_of(number, "finding", "findings")
