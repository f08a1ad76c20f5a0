"""A plan as AWS CLI commands, for people who run them by hand: a script for any POSIX shell, one change a line."""

import json
import re
import shlex
from collections.abc import Iterator
from itertools import groupby
from typing import TextIO, assert_never

from amiguard.core.edit import (
    BlockPublicAccessEdit,
    CreateVolumePermissionEdit,
    LaunchPermissionEdit,
    Step,
    steps_between,
)
from amiguard.core.grantee import launch_permission_item
from amiguard.core.plan import BlockPublicAccessChange, Change, ImageChange, Plan, SnapshotChange
from amiguard.report.edit_words import SWITCH, images_in_sum
from amiguard.report.json_v1 import rfc3339
from amiguard.report.sanitize import printable
from amiguard.report.verdict import number_of

# ModifySnapshotAttribute takes as many in one call (EC2 API Reference); and Linux takes at most 128 KiB in one argument
# (MAX_ARG_STRLEN), and ARNs can be long.
_MOST_GRANTEES = 500
# Some shells take no comments from a terminal, and would read on in those that are pasted.
_NOT_PLAIN = re.compile(r"[^\w ./@-]")


def render_commands(plan: Plan, stream: TextIO) -> None:
    """Write the script.

    A command that fails stops no other: the script goes on, counts the changes that failed, and ends with status 1 if
    there are any. Within one change the shell stops at the first failure, so that nobody who is to keep access loses
    it. Nothing is decided anew and nothing is written down: only `amiguard apply` does that.

    Args:
        plan: its names, which others wrote, appear in comments only, with nothing in them that a shell would act on.
        stream: where to.

    Raises:
        ValueError: a change adds or removes a grant that is not understood. The planner makes none.
    """
    stream.writelines(f"{line}\n" for line in _lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    changes = number_of(len(plan.changes), "change", "changes") if plan.changes else "nothing to change"
    yield f"# amiguard plan of {rfc3339(plan.created_at)}: {changes}"
    if plan.left_out:
        yield f"# left out on purpose: {len(plan.left_out)}"
    if plan.unplanned:
        yield f"# not planned, as it was not read or not decided: {len(plan.unplanned)}"
    if not plan.changes:
        return
    yield "# One change a line. One that fails does not stop the others: it is counted, and the script ends with 1."
    yield "# Nothing is checked anew: run it soon, or use amiguard apply, which checks each change and can undo it."
    yield "export AWS_PAGER="
    yield "failed=0"
    for account_id, of_account in groupby(plan.changes, key=lambda change: change.edit.target.account_id):
        yield ""
        yield f"# account {_comment(account_id)}: run these with its credentials"
        for change in of_account:
            yield f"# {_about(change)}"
            yield f"{' && '.join(_commands(change))} || failed=$((failed + 1))"
    yield ""
    yield 'echo "$failed changes failed" >&2'
    yield 'test "$failed" -eq 0'


def _about(change: Change) -> str:
    match change:
        case ImageChange(edit):
            return f"{_comment(edit.image_id)} {_comment(edit.image_name)}".rstrip()
        case SnapshotChange(edit):
            return f"{_comment(edit.snapshot_id)} {_comment(images_in_sum(edit.image_ids))}"
        case BlockPublicAccessChange(edit):
            return f"{SWITCH} in {_comment(edit.target.region)}"
        case _:
            assert_never(change)


def _comment(text: str) -> str:
    return _NOT_PLAIN.sub("?", printable(text))


def _commands(change: Change) -> Iterator[str]:
    match change:
        case ImageChange(edit):
            for step in steps_between(edit.before, edit.after, most=_MOST_GRANTEES):
                yield _modify(edit, step)
        case SnapshotChange(edit):
            for step in steps_between(edit.before, edit.after, most=_MOST_GRANTEES):
                yield _modify_snapshot(edit, step)
        case BlockPublicAccessChange(edit):
            yield _enable(edit)
        case _:
            assert_never(change)


def _modify(edit: LaunchPermissionEdit, step: Step) -> str:
    return shlex.join(
        (
            *("aws", "ec2", "modify-image-attribute", "--region", edit.target.region, "--image-id", edit.image_id),
            *("--launch-permission", _permission(step)),
        )
    )


def _modify_snapshot(edit: CreateVolumePermissionEdit, step: Step) -> str:
    return shlex.join(
        (
            *("aws", "ec2", "modify-snapshot-attribute", "--region", edit.target.region),
            *("--snapshot-id", edit.snapshot_id, "--attribute", "createVolumePermission"),
            *("--create-volume-permission", _permission(step)),
        )
    )


def _permission(step: Step) -> str:
    """The grantees of one call: accounts and everyone are written alike for images and snapshots."""
    lists = {"Add": step.add} if step.add else {"Remove": step.remove}
    permission = {name: [launch_permission_item(grantee) for grantee in grantees] for name, grantees in lists.items()}
    return json.dumps(permission, separators=(",", ":"))


def _enable(edit: BlockPublicAccessEdit) -> str:
    return shlex.join(
        (
            *("aws", "ec2", "enable-image-block-public-access", "--region", edit.target.region),
            *("--image-block-public-access-state", edit.after.value),
        )
    )
