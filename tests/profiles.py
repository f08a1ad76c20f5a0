"""How much is tried: all of it in CI's profile of hypothesis, a part of it in the others."""

from hypothesis import settings


def in_ci() -> bool:
    """Whether this is the profile `ci`."""
    return settings.get_current_profile_name() == "ci"


def share(whole: int, part: int = 2) -> int:
    """How many examples to try: `whole` in the profile `ci`, one of `part` of these in any other."""
    return whole if in_ci() else whole // part
