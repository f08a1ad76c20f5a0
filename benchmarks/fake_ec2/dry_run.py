"""Calls that only ask whether they would be allowed."""

from .calls import Call
from .replies import AwsProblem


def refuse_dry_run(call: Call) -> None:
    """Raise `AwsProblem`, the answer to a call that is allowed and would have succeeded, if it is a dry run."""
    if call.flag("DryRun"):
        raise AwsProblem("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
