"""A key policy, read from its JSON: what is not understood is kept as such, and nothing raises.

Source: IAM User Guide, "IAM JSON policy elements reference"; KMS Developer Guide, "Creating a key policy".
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from amiguard.core.policy_principals import Principals, read_principals

_MAX_LENGTH = 131_072
"""In characters: KMS takes 32,768 bytes, so that what is longer is no key policy."""
_MAX_LABEL = 80
_TOP = frozenset({"Version", "Id", "Statement"})
_VERSIONS = (None, "2008-10-17", "2012-10-17")
_PAIRS = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
_ELEMENTS = frozenset({"Sid", "Effect", "Condition", *(name for pair in _PAIRS for name in pair)})


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator applied to one key; all conditions of a statement must be met.

    Attributes:
        key: in lower case, for IAM does not tell case in keys.
        values: one of them must match (none, for a negated operator).
    """

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy.

    Attributes:
        label: how a reason names it: by its Sid, or by its number from 1.
        effect: None if it is neither of the two words: then the statement may do either.
        flaw: why the statement is not understood; empty if it is. A flawed statement may concern anyone and anything.
        negated: the names of those elements that are given as their opposites (`NotPrincipal`, ...).
    """

    label: str
    effect: Literal["Allow", "Deny"] | None
    flaw: str = ""
    principals: Principals = field(default_factory=Principals)
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    negated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """The text is no policy that could be judged."""

    reason: str


class _DuplicateKeyError(ValueError):
    pass


class _FlawError(ValueError):
    pass


def read_policy(text: str, partition: str) -> tuple[Statement, ...] | NotUnderstood:
    """Read a key policy.

    Args:
        text: JSON, as GetKeyPolicy gives it.
        partition: of the key (`aws`).

    Returns:
        Its statements that have an effect, in their order.
    """
    if len(text) > _MAX_LENGTH:
        return NotUnderstood("it is longer than a key policy can be")
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except _DuplicateKeyError as error:
        return NotUnderstood(f"it names {clip(str(error))} twice")
    except (ValueError, RecursionError):
        return NotUnderstood("it is no JSON that could be read")
    match document:
        case {"Statement": list() as statements}:
            pass
        case {"Statement": dict() as statement}:
            statements = [statement]
        case _:
            return NotUnderstood("it has no statements where they belong")
    if unknown := sorted(set(document) - _TOP):
        return NotUnderstood(f"it has an element {clip(unknown[0])!r}, which is not known")
    if document.get("Version") not in _VERSIONS:
        return NotUnderstood("its Version is not known")
    read = (_read_statement(one, number, partition) for number, one in enumerate(statements, 1))
    return tuple(one for one in read if one is not None)


def clip(text: str) -> str:
    """A text as a reason quotes it: not longer than a line, and without the half characters that JSON can escape."""
    text = text.encode(errors="replace").decode()
    return text if len(text) <= _MAX_LABEL else f"{text[:_MAX_LABEL]}..."


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateKeyError(key)
        found[key] = value
    return found


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _read_statement(value: object, number: int, partition: str) -> Statement | None:
    """Read one statement; None if it lacks Action or Resource, for then it has no effect (KMS API, CreateKey)."""
    if not isinstance(value, dict):
        return Statement(f"statement {number}", None, "it is not an object")
    sid = value.get("Sid")
    label = f'statement "{clip(sid)}"' if isinstance(sid, str) and sid else f"statement {number}"
    effect: Literal["Allow", "Deny"] | None
    match value.get("Effect"):
        case "Allow" | "Deny" as effect:
            pass
        case _:
            effect = None
    if unknown := sorted(set(value) - _ELEMENTS):
        return Statement(label, effect, f"its element {clip(unknown[0])!r} is not known")
    if not ({"Action", "NotAction"} & set(value) and {"Resource", "NotResource"} & set(value)):
        return None
    if effect is None:
        return Statement(label, effect, "its Effect is neither Allow nor Deny")
    try:
        principals, actions, resources = (_one_of(value, names) for names in _PAIRS)
        return Statement(
            label,
            effect,
            principals=read_principals(_principal_entries(value[principals]), partition),
            actions=_texts(value[actions], actions),
            resources=_texts(value[resources], resources),
            conditions=tuple(_conditions(value.get("Condition", {}))),
            negated=frozenset(name for name in (principals, actions, resources) if name.startswith("Not")),
        )
    except _FlawError as error:
        return Statement(label, effect, str(error))


def _one_of(value: dict[str, object], names: tuple[str, str]) -> str:
    given = [name for name in names if name in value]
    if len(given) != 1:
        raise _FlawError(f"it has {'both' if given else 'neither'} {names[0]} {'and' if given else 'nor'} {names[1]}")
    return given[0]


def _principal_entries(value: object) -> Iterator[tuple[str, str]]:
    match value:
        case "*":
            yield "*", "*"
        case dict() if value:
            for kind, entries in value.items():
                for text in _texts(entries, "Principal"):
                    yield kind, text
        case _:
            raise _FlawError("its Principal is not understood")


def _texts(value: object, name: str) -> tuple[str, ...]:
    match value:
        case str():
            return (value,)
        case list() if value and all(isinstance(one, str) for one in value):
            return tuple(value)
        case _:
            raise _FlawError(f"its {name} is not understood")


def _conditions(value: object) -> Iterator[Condition]:
    if not isinstance(value, dict):
        raise _FlawError("its Condition is not understood")
    for operator, block in value.items():
        if not isinstance(block, dict):
            raise _FlawError(f"its condition {clip(operator)} is not understood")
        for key, values in block.items():
            given = values if isinstance(values, list) else [values]
            yield Condition(operator, key.lower(), tuple(_condition_value(one, key) for one in given))


def _condition_value(value: object, key: str) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            raise _FlawError(f"its condition on {clip(key)} is not understood")
