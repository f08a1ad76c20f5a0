"""Turn pydantic's errors into problems: places of the file instead of places of the model, and a mend for each."""

from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from amiguard.files.problems import Problem
from amiguard.files.settings_model import MODELS, NO_TRUST
from amiguard.files.settings_section import UNION_TAGS
from amiguard.files.settings_values import VERSION, MistakesWithin, found
from amiguard.files.yaml_tree import KeyPath, Mapping, Node, find

_REQUIRED = {
    "version": f"is missing: write `version: {VERSION}`",
    "trust": NO_TRUST,
    "role_name": "is missing: name the role to assume in each account",
    "images": "is missing: say which images are meant, by ids, names, tags, accounts or regions",
    "grantees": "is missing: list whom the images may be shared with, or write `grantees: any`",
    "reason": "is missing: say why this is accepted",
    "rule_id": "is missing: name the rule as your Conformity reports did, or delete the section",
    "owner": "is missing: say who answers for this",
}
_REQUIRED_ID = {
    "trust": "is missing: an entry names whom it trusts",
    "targets": "is missing: say which account is meant",
}
_WORDS = {
    ("trust",): "expected lists of who is trusted, or `nobody`",
    ("exceptions", "grantees"): "expected a list, or `any`",
    ("targets", "regions"): "expected a list of regions, or `all`",
    ("checks",): "expected a list of checks, or `all`",
    ("evidence", "collect"): "expected a list of kinds of evidence, or `all`",
    ("targets", "suspended"): "expected `skip` or `fail`",
    ("notify", "on"): "expected `change`, `fail` or `always`",
}


def mistakes(top: Node, error: ValidationError) -> list[Problem]:
    """What pydantic found, placed in the file."""
    return [problem for one in error.errors(include_url=False) for problem in _problems(top, one)]


def _problems(top: Node, error: Any) -> list[Problem]:
    path: KeyPath = tuple(step for step in error["loc"] if step not in UNION_TAGS)
    within = error.get("ctx", {}).get("error")
    if isinstance(within, MistakesWithin):
        return [Problem(find(top, (*path, *below)).mark, (*path, *below), said) for below, said in within.placed]
    return [_problem(top, path, error)]


def _problem(top: Node, path: KeyPath, error: Any) -> Problem:
    node = find(top, path)
    mark = node.mark
    if error["type"] == "extra_forbidden":
        section = find(top, path[:-1])
        key = section.key(str(path[-1])) if isinstance(section, Mapping) else None
        mark = key.mark if key else mark
    return Problem(mark, path, _message(path, error))


def _message(path: KeyPath, error: Any) -> str:
    keys = tuple(step for step in path if isinstance(step, str))
    match error["type"]:
        case "value_error":
            return str(error["ctx"]["error"])
        case "missing":
            return _REQUIRED_ID[keys[0]] if keys[-1] == "id" else _REQUIRED[keys[-1]]
        case "extra_forbidden":
            return _unknown_key(keys)
        case "model_type" | "dict_type" if keys == ("trust",) and error["input"] is None:
            return NO_TRUST
        case "literal_error":
            return _WORDS[keys]
        case "model_type" | "dict_type":
            return f"expected keys, found {found(error['input'])}" if keys else "expected the keys of a settings file"
        case "list_type" if keys in _WORDS:
            return f"{_WORDS[keys]}, found {found(error['input'])}"
        case "list_type":
            return f"expected a list, found {found(error['input'])}: write one value a line, each after a dash"
        case "too_short":
            return "is empty: list at least one value" + ("" if keys in _WORDS else ", or delete the key")
        case _:
            return str(error["msg"])


def _unknown_key(keys: tuple[str, ...]) -> str:
    known = sorted(MODELS[keys[:-1]].model_fields)
    close = get_close_matches(keys[-1], known, n=1)
    return f"unknown key, did you mean `{close[0]}`?" if close else f"unknown key; known here: {', '.join(known)}"
