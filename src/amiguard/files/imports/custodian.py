"""Cloud Custodian: whom the `cross-account` filters of policies on images whitelist.

The keys are those of c7n 0.9.53, `c7n/resources/ami.py`: `whitelist` and `whitelist_from`, compared as exact strings.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from amiguard.core.errors import InputError
from amiguard.files.imports.identity import take_trustee
from amiguard.files.imports.record import Found, Place, Value, origin_of, shown
from amiguard.files.imports.whitelist import read_whitelist

_TOOL = "Cloud Custodian"
_RESOURCES = ("ami", "aws.ami")
_FILTER = "cross-account"
_READ = {"name", "resource", "filters", "description", "comments", "comment", "tags", "metadata"}
_WHYS = {
    "actions": "what happens to images is asked for by `amiguard plan` and `apply`, never by the settings",
    "mode": "amiguard runs when it is called: schedule it",
    "conditions": "when a policy runs is not a setting",
    "vars": "variables are not filled in",
}


@dataclass(frozen=True, slots=True)
class _Filter:
    place: Place
    keys: dict[str, Value]
    negated: bool


def fits(data: Value) -> bool:
    """Whether this is a policy file."""
    return isinstance(data, dict) and isinstance(data.get("policies"), list)


def read(found: Found, data: Value, place: Place) -> None:
    """Everything that policies on images whitelist.

    Raises:
        InputError: no policy on images has the filter, or a list that a policy names cannot be read.
    """
    policies = data.get("policies") if isinstance(data, dict) else None
    others, lists = 0, []
    for number, policy in enumerate(policies if isinstance(policies, list) else ()):
        where = place.below("policies", number)
        filters = list(_filters(policy.get("filters"), where.below("filters"))) if isinstance(policy, dict) else []
        if not isinstance(policy, dict) or policy.get("resource") not in _RESOURCES or not filters:
            others += 1
            continue
        name = policy.get("name")
        origin = origin_of(_TOOL, place.path, f"policy {name}" if isinstance(name, str) else "a policy without a name")
        before = len(found.trustees)
        for one in filters:
            _take_filter(found, one, origin)
        lists.append(frozenset(str(one.trustee) for one in found.trustees[before:]))
        _lose_rest(found, policy, where)
    if not lists:
        raise InputError(
            f"{place.path}: no policy on {' or '.join(_RESOURCES)} has the filter {_FILTER}: nothing in there says who "
            "may launch images"
        )
    if len(set(lists)) > 1:
        found.notice(
            place, f"{len(lists)} policies whitelist different ids", "the trust policy is their union, for all images"
        )
    if others:
        count = "1 other policy" if others == 1 else f"{others} other policies"
        found.lose(place, count, f"not on images, or without {_FILTER}")
    if isinstance(data, dict) and "vars" in data:
        found.lose(place.below("vars"), "vars", _WHYS["vars"])


def _filters(raw: Value, place: Place, *, negated: bool = False) -> Iterator[_Filter]:
    """The `cross-account` filters, those inside of `and`, `or` and `not` too."""
    if isinstance(raw, dict):
        # A single filter instead of a list, and what stands below `and`, `or` and `not`.
        raw = [raw]
    for number, one in enumerate(raw if isinstance(raw, list) else ()):
        where = place.below(number)
        if one == _FILTER:
            yield _Filter(where, {}, negated)
        elif isinstance(one, dict) and one.get("type") == _FILTER:
            yield _Filter(where, one, negated)
        elif isinstance(one, dict):
            for key in ("and", "or", "not"):
                yield from _filters(one.get(key), where.below(key), negated=negated or key == "not")


def _take_filter(found: Found, one: _Filter, origin: str) -> None:
    if one.negated:
        found.lose(one.place, _FILTER, "inside of `not` it selects what is not shared: its lists are not carried")
        return
    listed = one.keys.get("whitelist")
    if listed is not None and not isinstance(listed, list):
        found.lose(one.place.below("whitelist"), shown(listed), "expected a list of ids")
    for number, value in enumerate(listed if isinstance(listed, list) else ()):
        take_trustee(found, value, one.place.below("whitelist", number), origin)
    if "whitelist_from" in one.keys:
        read_whitelist(found, one.keys["whitelist_from"], one.place.below("whitelist_from"), origin)
    for key in one.keys.keys() - {"type", "whitelist", "whitelist_from"}:
        found.lose(one.place.below(key), key, f"Cloud Custodian's {_FILTER} of images does not have this key")


def _lose_rest(found: Found, policy: dict[str, Value], place: Place) -> None:
    for key in policy:
        if key not in _READ:
            found.lose(place.below(key), key, _WHYS.get(key, "has no meaning for the trust policy"))
    filters = policy.get("filters")
    for number, one in enumerate(filters if isinstance(filters, list) else ()):
        if one == _FILTER or (isinstance(one, dict) and one.get("type") == _FILTER):
            continue
        found.lose(
            place.below("filters", number),
            _filter_name(one),
            "narrows the images of this policy; the trust policy holds for all images",
        )


def _filter_name(one: Value) -> str:
    if not isinstance(one, dict):
        return shown(one)
    kind = one.get("type")
    return shown(kind) if kind is not None else ", ".join(map(shown, one)) or "an empty filter"
