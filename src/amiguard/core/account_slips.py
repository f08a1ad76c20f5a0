"""Slips of the hand in account ids: one digit changed, or two neighbouring digits swapped."""

from collections.abc import Iterator

_DIGITS = "0123456789"


def one_slip_away(account_id: str) -> Iterator[str]:
    """Every id that one slip makes of this one, each once.

    These are the ids of the same length at a Damerau-Levenshtein distance of one: a digit that was left out or doubled
    changes the length, and such an id is refused where it is read.

    Args:
        account_id: ASCII digits.
    """
    for place, digit in enumerate(account_id):
        before, after = account_id[:place], account_id[place + 1 :]
        for other in _DIGITS:
            if other != digit:
                yield before + other + after
        # Two equal digits swapped are the same id.
        if after and after[0] != digit:
            yield before + after[0] + digit + after[1:]
