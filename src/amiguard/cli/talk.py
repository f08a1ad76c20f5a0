"""What the program says to the person: on stderr, apart from the data."""

import sys

from amiguard.core.errors import AmiguardError
from amiguard.report.sanitize import printable_lines


def say(message: str) -> None:
    """Print a message on stderr; control characters in it are neutralised, line breaks stay."""
    print(printable_lines(message), file=sys.stderr)  # noqa: T201 - this is where the program talks


def warn(message: str) -> None:
    """Print a warning."""
    say(f"amiguard: warning: {message}")


def complain(error: AmiguardError) -> None:
    """Print an error and what to do about it."""
    say(f"amiguard: error: {error.message}")
    if error.hint:
        say(f"  hint: {error.hint}")
