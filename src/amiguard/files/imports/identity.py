"""Ids as foreign files write them: read strictly, and whatever is not certain is told, never guessed."""

import re

from amiguard.core.trust import OWN, TrustedUnit, Trustee, parse_trustee
from amiguard.files.imports.record import Found, FoundTrustee, Number, Place, Value, shown

_DIGITS = 12
_DRESSING = re.compile(r"[ \t\u00a0\"'`\u2010-\u2015\u2018-\u201f-]+")
"""What people and spreadsheets put around and between the digits of an account id."""
_SHORTENED = re.compile(r"[0-9]+[.,][0-9]+[eE]\+?[0-9]+|[0-9]+[eE]\+?[0-9]+")
_EVERYONE = ("all", "*", "everyone", "public")
_NAME_CUT = 200


def take_trustee(found: Found, value: Value, place: Place, origin: str, *, name: Value = None) -> Trustee | None:
    """Read whom a value trusts, and add it; what cannot be read is added to the losses.

    Args:
        found: what is added to.
        value: what the file holds.
        place: where.
        origin: for the entry's reason.
        name: what the file calls it.

    Returns:
        Whom it trusts; None if it was lost.
    """
    written = _id_of(found, value, place)
    if written is None:
        return None
    trustee = parse_trustee(written)
    if isinstance(trustee, TrustedUnit) and trustee.organization_id is None:
        found.notice(
            place,
            written,
            "a unit without its organization is one of the audited account's own organization here; elsewhere the id "
            "counts in any organization",
        )
    found.trustees.append(FoundTrustee(trustee, written, _name(found, name, place), origin, place))
    return trustee


def _id_of(found: Found, value: Value, place: Place) -> str | None:
    if not isinstance(value, str):
        found.lose(place, shown(value), "is no id: expected text")
        return None
    bare = _DRESSING.sub("", value)
    if re.fullmatch(r"[0-9]+", bare):
        return _account(found, value, bare, place)
    text = value.strip().strip("\"'")
    if _SHORTENED.fullmatch(text):
        found.lose(place, shown(value), "a spreadsheet or a program has shortened this number: its digits are lost")
    elif text.lower() in _EVERYONE:
        found.lose(
            place, shown(value), "everyone cannot be trusted: an exception can accept images that are public on purpose"
        )
    elif text == OWN:
        found.lose(place, shown(value), "is no id: `own` is a word of amiguard's settings only")
    else:
        try:
            parse_trustee(text)
        except ValueError as error:
            found.lose(place, shown(value), str(error))
            return None
        if text != value:
            found.notice(place, shown(value), f"read as {text}")
        return text
    return None


def _account(found: Found, value: str, digits: str, place: Place) -> str | None:
    if len(digits) == _DIGITS:
        if digits != value:
            found.notice(place, shown(value), f"read as the account id {digits}")
        elif isinstance(value, Number):
            found.notice(place, digits, "a number, read as the account id of the same digits")
        return digits
    why = f"an account id has {_DIGITS} digits, this has {len(digits)}"
    if len(digits) < _DIGITS:
        whole = digits.zfill(_DIGITS)
        why += f"; if zeros at its start were lost, add it yourself: `amiguard trust add {whole}`"
    found.lose(place, shown(value), why)
    return None


def _name(found: Found, name: Value, place: Place) -> str | None:
    if name is None or (isinstance(name, str) and not name.strip()):
        return None
    if not isinstance(name, str) or not name.isprintable() or len(name) > _NAME_CUT:
        found.lose(place, f"name {shown(name)}", "is no short text on one line")
        return None
    return str(name.strip())
