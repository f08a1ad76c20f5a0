"""Conformity: rule settings of an account, a profile with its rules, and a profile as it was downloaded.

The envelopes are those of Conformity's API documentation (RuleSettings.md, Profiles.md) and of downloaded profiles.
"""

from amiguard.core.errors import InputError
from amiguard.files.imports.record import Found, Place, Value, shown
from amiguard.files.imports.rule import Rule, read_rule

_ACCOUNT = "Conformity account settings"
_PROFILE = "Conformity profile"


def fits(data: Value) -> bool:
    """Whether this is an answer or a file of Conformity."""
    if not isinstance(data, dict):
        return False
    if isinstance(data.get("ruleSettings"), list):
        return True
    inner = data.get("data")
    return isinstance(inner, dict) and inner.get("type") in ("accounts", "profiles")


def read(found: Found, data: Value, place: Place) -> list[Rule]:
    """All rules of the file.

    Raises:
        InputError: it has no rule settings.
    """
    if not isinstance(data, dict):
        return []
    if isinstance(data.get("ruleSettings"), list):
        name = data.get("name")
        holder = f"profile {shown(name)}" if isinstance(name, str) and name else "the profile"
        return _rules(found, data["ruleSettings"], place.below("ruleSettings"), _PROFILE, holder)
    inner = data.get("data")
    inner = inner if isinstance(inner, dict) else {}
    attributes = inner.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    if inner.get("type") == "profiles":
        return _included(found, data, place, _holder("profile", attributes.get("name"), inner.get("id")))
    settings = attributes.get("settings")
    rules = settings.get("rules") if isinstance(settings, dict) else None
    if not isinstance(rules, list):
        raise InputError(
            f"{place.path}: an account without its rule settings",
            hint="save the answer to GET /accounts/{id}/settings/rules",
        )
    holder = _holder("account", attributes.get("name"), inner.get("id"))
    return _rules(found, rules, place.below("data", "attributes", "settings", "rules"), _ACCOUNT, holder)


def _included(found: Found, data: dict[str, Value], place: Place, holder: str) -> list[Rule]:
    included = data.get("included")
    if not isinstance(included, list):
        raise InputError(
            f"{place.path}: a profile without its rule settings",
            hint="save the answer to GET /profiles/{id}?includes=ruleSettings",
        )
    rules = []
    for number, one in enumerate(included):
        where = place.below("included", number)
        if isinstance(one, dict) and one.get("type") not in ("rules", None):
            found.lose(where, shown(one.get("type")), "is no rule")
            continue
        attributes = one.get("attributes") if isinstance(one, dict) else None
        raw = {**attributes, "id": one.get("id")} if isinstance(one, dict) and isinstance(attributes, dict) else one
        rules.append(read_rule(found, raw, where, _PROFILE, holder))
    return [rule for rule in rules if rule is not None]


def _rules(found: Found, raw: Value, place: Place, tool: str, holder: str) -> list[Rule]:
    items = raw if isinstance(raw, list) else []
    rules = [read_rule(found, one, place.below(number), tool, holder) for number, one in enumerate(items)]
    return [rule for rule in rules if rule is not None]


def _holder(kind: str, name: Value, holder_id: Value) -> str:
    called = name if isinstance(name, str) and name else holder_id
    return f"{kind} {shown(called)}" if isinstance(called, str) and called else f"the {kind}"
