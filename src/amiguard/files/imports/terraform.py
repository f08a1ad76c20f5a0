"""Terraform: the rules of Conformity and Vision One resources in `terraform show -json`, of a plan or a state.

The form is that of Terraform's "JSON Output Format", versions 1.x; the resources are those of the
providers' documentation.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from amiguard.core.errors import InputError
from amiguard.files.imports.record import Found, Place, Value, shown
from amiguard.files.imports.rule import Rule, read_rule

_TOOL = "Terraform"
_BLOCKS = {"conformity_profile": "included", "visionone_crm_profile": "scan_rule", "conformity_aws_account": "settings"}
_RELATED = ("visionone_crm_account_scan_rules", "conformity_check_suppression", "visionone_crm_check_suppression")
_MOST_MODULES = 200
_PARTS = {"planned_values", "resource_changes", "values", "terraform_version"}


@dataclass(frozen=True, slots=True)
class _Resource:
    place: Place
    kind: str
    address: str
    values: dict[str, Value]
    unknown: Value


def fits(data: Value) -> bool:
    """Whether this is Terraform's JSON."""
    return isinstance(data, dict) and "format_version" in data and bool(_PARTS & data.keys())


def read(found: Found, data: Value, place: Place) -> list[Rule]:
    """The rules of all resources that have some.

    Raises:
        InputError: the version of the form is not 1.x, or no resource has rules.
    """
    if not isinstance(data, dict):
        return []
    version = data.get("format_version")
    if not isinstance(version, str) or not re.fullmatch(r"1\.[0-9]+", version):
        raise InputError(f"{place.path}: Terraform's format_version is {shown(version)}: 1.x is read")
    resources = list(_changes(data, place)) or list(_planned(data, place))
    rules = []
    for one in resources:
        if one.kind in _RELATED:
            found.lose(one.place, one.address, "resources of this kind are not read")
        elif one.kind in _BLOCKS:
            if _any_true(one.unknown):
                found.lose(one.place, one.address, "some of its values are known only after apply")
            rules += list(_rules(found, one))
    if not any(one.kind in _BLOCKS for one in resources):
        raise InputError(
            f"{place.path}: no resource of Conformity or Vision One is in this Terraform output",
            hint=f"read are {', '.join(sorted(_BLOCKS))}",
        )
    return rules


def _rules(found: Found, resource: _Resource) -> Iterator[Rule]:
    block = _BLOCKS[resource.kind]
    place = resource.place.below(block)
    for number, one in enumerate(_list(resource.values.get(block))):
        where = place.below(number)
        if block != "settings":
            yield from _rule(found, one, where, resource)
            continue
        for place_in, outer in enumerate(_list(one.get("rule") if isinstance(one, dict) else None)):
            at = where.below("rule", place_in)
            inner = _list(outer.get("settings") if isinstance(outer, dict) else None)
            if isinstance(outer, dict):
                settings = inner[0] if inner and isinstance(inner[0], dict) else {}
                yield from _rule(found, {**settings, "rule_id": outer.get("rule_id")}, at, resource)
            else:
                found.lose(at, shown(outer), "is no rule: expected keys")


def _rule(found: Found, raw: Value, place: Place, resource: _Resource) -> Iterator[Rule]:
    rule = read_rule(found, raw, place, _TOOL, resource.address)
    if rule is not None:
        yield rule


def _changes(data: dict[str, Value], place: Place) -> Iterator[_Resource]:
    for number, one in enumerate(_list(data.get("resource_changes"))):
        change = one.get("change") if isinstance(one, dict) else None
        after = change.get("after") if isinstance(change, dict) else None
        if isinstance(one, dict) and isinstance(change, dict) and isinstance(after, dict):
            where = place.below("resource_changes", number, "change", "after")
            yield _resource(where, one, after, change.get("after_unknown"))


def _planned(data: dict[str, Value], place: Place) -> Iterator[_Resource]:
    for part in ("planned_values", "values"):
        values = data.get(part)
        root = values.get("root_module") if isinstance(values, dict) else None
        waiting = [(root, place.below(part, "root_module"))]
        for _ in range(_MOST_MODULES):
            if not waiting:
                break
            module, where = waiting.pop(0)
            if not isinstance(module, dict):
                continue
            for number, one in enumerate(_list(module.get("resources"))):
                after = one.get("values") if isinstance(one, dict) else None
                if isinstance(one, dict) and isinstance(after, dict):
                    yield _resource(where.below("resources", number, "values"), one, after, None)
            waiting += [
                (child, where.below("child_modules", number))
                for number, child in enumerate(_list(module.get("child_modules")))
            ]
        if waiting:
            raise InputError(f"{place.path}: more than {_MOST_MODULES} modules: such a plan is not read")


def _resource(place: Place, one: dict[str, Value], values: dict[str, Value], unknown: Value) -> _Resource:
    kind, address = one.get("type"), one.get("address")
    managed = one.get("mode") in (None, "managed")
    return _Resource(place, str(kind) if isinstance(kind, str) and managed else "", shown(address), values, unknown)


def _any_true(value: Value) -> bool:
    match value:
        case bool():
            return value
        case list():
            return any(map(_any_true, value))
        case dict():
            # What the provider makes up itself is no setting.
            return any(_any_true(one) for key, one in value.items() if key != "id")
        case _:
            return False


def _list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []
