"""Spans of time on the command line: `90s`, `45m`, `6h`, `7d`."""

import re
from datetime import timedelta

import typer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"([0-9]{1,6})([smhd])")


def read_duration(text: str, parameter: str) -> timedelta:
    """Read a span of time.

    Raises:
        typer.BadParameter: it is none, or of no length.
    """
    found = _SPAN.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise typer.BadParameter(f"{text!r} is no time: write 90s, 45m, 6h or 7d", param_hint=parameter)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def read_deadline(text: str | None, parameter: str) -> timedelta | None:
    """Read an option that ends something in time; None, without the option, is no end.

    Raises:
        typer.BadParameter: it is no span of time, or of no length.
    """
    return None if text is None else read_duration(text, parameter)
