"""The targets of a run: opened once each, side by side, so that none holds back another."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from amiguard.core.edit import Edit
from amiguard.core.image import Unreadable
from amiguard.core.ports import TargetOpener
from amiguard.core.remediation import ChangeStatus
from amiguard.core.result import Target
from amiguard.remediator.run import Ending, Run, StoppedError, TargetWork

_Item = TypeVar("_Item")


def by_target(items: Iterable[_Item], edit_of: Callable[[_Item], Edit]) -> dict[Target, list[_Item]]:
    """Plan or journal, by target, in its order."""
    grouped: dict[Target, list[_Item]] = {}
    for item in items:
        grouped.setdefault(edit_of(item).target, []).append(item)
    return grouped


async def remediate_target(
    run: Run,
    opener: TargetOpener,
    target: Target,
    edits: Sequence[Edit],
    remediate: Callable[[TargetWork], Coroutine[Any, Any, None]],
) -> None:
    """Open a target and change it; if that cannot be done, tell it of all its edits."""
    try:
        opened = await run.before_stop(lambda: opener.open(target))
    except StoppedError:
        run.end_all(edits, run.not_tried)
        return
    if isinstance(opened, Unreadable):
        run.end_all(edits, Ending(ChangeStatus.FAILED, opened.reason, opened.hint))
        return
    await remediate(TargetWork(run, opened))
