"""`--check`: which checks are made besides that of images, which is always made."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated

import typer

from amiguard.cli.completion import offer
from amiguard.core.checks.registry import ADDITIONAL, CHECK_IDS, additional_checks

_CHECK, _ALL = "--check", "all"

CheckOption = Annotated[
    list[str] | None,
    typer.Option(
        _CHECK,
        metavar="ID",
        autocompletion=offer((*sorted(ADDITIONAL), _ALL)),
        help=f"Make this check too ({', '.join(sorted(ADDITIONAL))}), or `all`. Repeatable. Default: what the settings "
        "name. The check of images is always made.",
        show_default=False,
    ),
]


def requested_checks(settings: frozenset[str], check: Sequence[str] | None) -> frozenset[str]:
    """The checks to make besides that of images.

    Args:
        settings: those that the settings file names.
        check: every `--check`; they are added.

    Raises:
        typer.BadParameter: there is no such check.
    """
    named = check or ()
    for text in named:
        if text not in (*CHECK_IDS, _ALL):
            near = get_close_matches(text, CHECK_IDS, n=1)
            mend = f"did you mean {near[0]}?" if near else f"there are: {', '.join(CHECK_IDS)}, and `all`"
            raise typer.BadParameter(f"there is no check {text!r}: {mend}", param_hint=_CHECK)
    if _ALL in named:
        return ADDITIONAL
    return settings | additional_checks(named)
