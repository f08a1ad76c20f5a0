"""Powerpipe's `aws_perimeter`: the variables that say who is trusted, in HCL (`.ppvars`, `.pvars`) or JSON."""

import json
import re

from amiguard.core.errors import InputError
from amiguard.files.imports.document import Document, Form
from amiguard.files.imports.identity import take_trustee
from amiguard.files.imports.record import Found, Number, Place, Value, origin_of, shown

_TOOL = "Powerpipe"
_VARIABLES = ("trusted_accounts", "trusted_organizations", "trusted_organization_units")
_ASSIGNED = re.compile(rf"^[ \t]*({'|'.join(_VARIABLES)})[ \t]*=", re.MULTILINE)
_COMMENTS = ("__comments__", "__inline_comments__")


def fits(data: Value) -> bool:
    """Whether these are such variables."""
    return isinstance(data, dict) and bool(data.keys() & set(_VARIABLES))


def read(found: Found, data: Value, place: Place) -> None:
    """Everything that the variables trust."""
    if not isinstance(data, dict):
        return
    origin = origin_of(_TOOL, place.path)
    for name in _VARIABLES:
        values = data.get(name)
        if values is not None and not isinstance(values, list):
            found.lose(place.below(name), shown(values), "expected a list of ids")
            continue
        for number, value in enumerate(values or ()):
            take_trustee(found, value, place.below(name, number), origin)
    for key in data:
        if key not in _VARIABLES:
            found.lose(place.below(key), shown(key), "a variable that does not say who may launch images")


def parse_hcl(document: Document) -> Value:
    """The variables of an HCL file.

    Raises:
        InputError: it is no such file, or python-hcl2 is not installed.
    """
    path = document.path
    assigned = _ASSIGNED.findall(document.text)
    if not assigned:
        raise InputError(f"{path}: HCL without {', '.join(_VARIABLES)}: nothing in there says who is trusted")
    if len(set(assigned)) < len(assigned):
        raise InputError(f"{path}: a variable is set twice: keep one")
    try:
        import hcl2  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise InputError(
            f"{path}: reading {Form.HCL.value} needs python-hcl2, which is not installed",
            hint="pip install 'amiguard[import]', or save the variables as JSON",
        ) from error
    try:
        data = hcl2.loads(document.text + "\n")
    except Exception as error:
        # Besides lark's own errors hcl2 lets others escape, too many kinds to name them: ValueError (a number of 5,000
        # digits), RuntimeError (a name twice in nested blocks), TypeError (`[for v in x : 0 if y]`), RecursionError.
        line = getattr(error, "line", None)
        place = f"{path}:{line}" if isinstance(line, int) and line > 0 else str(path)
        raise InputError(f"{place}: not HCL that assigns values: {type(error).__name__}") from error
    return {str(key): _value(value) for key, value in data.items() if key not in _COMMENTS}


def _value(raw: object) -> Value:
    """hcl2 keeps the quotes of texts, and writes everything that is no value as `${...}`."""
    match raw:
        case None | bool():
            return raw
        case int() | float():
            return Number(str(raw))
        case list():
            return [_value(one) for one in raw]
        case dict():
            return {str(key): _value(one) for key, one in raw.items()}
        case str() if raw.startswith('"') and raw.endswith('"') and "${" not in raw:
            try:
                text = json.loads(raw)
            except ValueError:
                return raw
            return text if isinstance(text, str) else raw
        case _:
            return str(raw)
