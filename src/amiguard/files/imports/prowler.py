"""Prowler: `trusted_account_ids` of its configuration."""

from amiguard.files.imports.identity import take_trustee
from amiguard.files.imports.record import Found, Place, Value, origin_of, shown

_TOOL = "Prowler"
_KEY = "trusted_account_ids"


def fits(data: Value) -> bool:
    """Whether this is such a configuration: the key stands under `aws`, in old ones at the top."""
    if not isinstance(data, dict):
        return False
    return any(isinstance(section, dict) and _KEY in section for section in (data, data.get("aws")))


def read(found: Found, data: Value, place: Place) -> None:
    """Everything that the configuration trusts."""
    if not isinstance(data, dict):
        return
    inner = data.get("aws")
    in_section = isinstance(inner, dict) and _KEY in inner
    section = inner if isinstance(inner, dict) and in_section else data
    where = place.below("aws", _KEY) if in_section else place.below(_KEY)
    values = section[_KEY]
    if values is not None and not isinstance(values, list):
        found.lose(where, shown(values), "expected a list of ids")
        return
    origin = origin_of(_TOOL, place.path)
    for number, value in enumerate(values or ()):
        take_trustee(found, value, where.below(number), origin)
    found.notice(where, _KEY, "Prowler does not ask it about images: see that these accounts may launch yours")
    others = len(section) + (len(data) if in_section else 0) - (2 if in_section else 1)
    if others:
        found.lose(place, f"{others} other setting{'s' if others > 1 else ''}", "does not say who may launch images")
