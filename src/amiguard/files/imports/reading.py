"""Read all files of one import: what each is, and what they come to together."""

from collections.abc import Callable, Sequence
from pathlib import Path

from amiguard.core.errors import InputError
from amiguard.files.imports import conformity, custodian, plain_list, powerpipe, prowler, terraform, vision_one
from amiguard.files.imports.document import Document, Form, read_document
from amiguard.files.imports.record import Found, Place, Value
from amiguard.files.imports.rule import Rule
from amiguard.files.imports.rules import carry_rules
from amiguard.files.imports.vision_one import Page, check_pages

_MOST_TOLD = 20
_Fits = Callable[[Value], bool]
_Read = Callable[[Found, Value, Place], None]

_LISTS: tuple[tuple[_Fits, _Read, str], ...] = (
    (custodian.fits, custodian.read, "a Cloud Custodian policy file"),
    (powerpipe.fits, powerpipe.read, "Powerpipe variables"),
    (prowler.fits, prowler.read, "a Prowler configuration"),
    (plain_list.fits, plain_list.read, "a list of ids"),
)
_RULES: tuple[tuple[_Fits, Callable[[Found, Value, Place], list[Rule]], str], ...] = (
    (conformity.fits, conformity.read, "Conformity rule settings"),
    (terraform.fits, terraform.read, "Terraform output"),
)


def read_files(paths: Sequence[Path], *, rule_id: str | None) -> Found:
    """Read files of any of the known formats.

    Args:
        paths: the files; one that is named twice is read once.
        rule_id: the rule whose settings count, where files hold rule settings.

    Returns:
        What they trust and except, and what is not carried.

    Raises:
        InputError: a file cannot be read or is of no known format, or which rule is meant is not certain. Every such
            file is named.
    """
    found, rules, pages, errors = Found(), list[Rule](), list[Page](), list[InputError]()
    seen: set[Path] = set()
    for path in paths:
        if (resolved := _resolved(path)) in seen:
            found.notice(Place(path), "the file", "is named twice, and read once")
            continue
        seen.add(resolved)
        try:
            more, more_pages = _read(found, path)
        except InputError as error:
            errors.append(error)
        except RecursionError:
            errors.append(InputError(f"{path}: nested too deeply"))
        else:
            rules += more
            pages += more_pages
    if errors:
        raise _all(errors)
    if rules or pages:
        check_pages(found, pages, named=rule_id is not None)
        carry_rules(found, rules, rule_id)
    elif rule_id is not None:
        raise InputError("--rule-id names a rule, and no file holds rule settings", hint="leave --rule-id out")
    return found


def _read(found: Found, path: Path) -> tuple[list[Rule], list[Page]]:
    document = read_document(path)
    if document.form is Form.TEXT:
        plain_list.read_text(found, document)
        return [], []
    data = powerpipe.parse_hcl(document) if document.form is Form.HCL else document.data
    return _read_data(found, document, data)


def _read_data(found: Found, document: Document, data: Value) -> tuple[list[Rule], list[Page]]:
    place = Place(document.path)
    if isinstance(data, dict) and {"version", "trust"} <= data.keys():
        raise InputError(f"{place}: this is a settings file of amiguard already: name it by --into")
    if data == []:
        raise InputError(f"{place}: an empty list: it trusts nobody")
    names = [name for fits, _, name in (*_LISTS, *_RULES) if fits(data)]
    if vision_one.fits(data):
        names.append("Vision One scan rules")
    if len(names) > 1:
        raise InputError(f"{place}: this may be {' or '.join(names)}: keep one of them in the file")
    for list_fits, read_list, _ in _LISTS:
        if list_fits(data):
            read_list(found, data, place)
            return [], []
    for rules_fit, read_rules, _ in _RULES:
        if rules_fit(data):
            return _some(read_rules(found, data, place), place), []
    if vision_one.fits(data):
        return vision_one.read(found, data, place)
    raise InputError(
        f"{place}: {document.form.value} of no form that is imported", hint="docs/importing.md lists what is read"
    )


def _some(rules: list[Rule], place: Place) -> list[Rule]:
    if not rules:
        raise InputError(f"{place}: there is no rule in the rule settings")
    return rules


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path


def _all(errors: Sequence[InputError]) -> InputError:
    if len(errors) == 1:
        return errors[0]
    lines = [error.message for error in errors[:_MOST_TOLD]]
    more = [f"... and {len(errors) - _MOST_TOLD} more"] if len(errors) > _MOST_TOLD else []
    hint = next((error.hint for error in errors if error.hint), None)
    return InputError("\n".join([f"{len(errors)} files cannot be imported", *lines, *more]), hint=hint)
