"""The published exit codes."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the program says by its exit code (a contract)."""

    CLEAN = 0
    """Everything asked for was evaluated, nothing fails."""
    UNTRUSTED = 1
    """Untrusted sharing was found, also when the audit is incomplete."""
    USAGE = 2
    """Usage or settings error, or nothing to do it on: nothing was done."""
    INCOMPLETE = 3
    """Nothing fails, but something could not be read or decided."""
    UNFINISHED = 4
    """A remediation ended with changes that failed, drifted or are no longer wanted, or a delivery failed."""
    INTERRUPTED = 130
    """Interrupted; what was known is written."""
