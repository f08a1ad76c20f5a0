"""Which rule is meant among those of Conformity's files: the one that is named, or the one that trusts accounts."""

from collections.abc import Sequence

from amiguard.core.errors import InputError
from amiguard.core.trust import Trustee
from amiguard.files.imports.record import Found, Place, shown
from amiguard.files.imports.rule import FAMILY, FRIENDLY, Rule
from amiguard.files.imports.rule_carry import carry_rule, take_friends

_SHOWN = 20


def carry_rules(found: Found, rules: Sequence[Rule], wanted: str | None) -> None:
    """Choose the rule, and carry what it trusts and excepts.

    Args:
        found: what is added to.
        rules: all rules of all files.
        wanted: the rule that `--rule-id` names.

    Raises:
        InputError: no rule is meant, or several that disagree.
    """
    chosen = _named(rules, wanted) if wanted else _chosen(found, rules)
    _tell_differences(found, chosen)
    for rule in chosen:
        carry_rule(found, rule, named=wanted is not None)
    _tell_the_rest(found, rules, chosen)


def _named(rules: Sequence[Rule], wanted: str) -> list[Rule]:
    chosen = [rule for rule in rules if rule.rule_id == wanted]
    if not chosen:
        raise InputError(f"no file has the rule {shown(wanted)} of --rule-id", hint=_with_friends(rules))
    return chosen


def _chosen(found: Found, rules: Sequence[Rule]) -> list[Rule]:
    ours = [rule for rule in rules if rule.is_ours and rule.friendly is not None and rule.configured]
    for rule in ours:
        if not rule.enabled:
            found.lose(
                rule.place, f"rule {shown(rule.rule_id)}", "is disabled; --rule-id carries it although it is disabled"
            )
    enabled = [rule for rule in ours if rule.enabled]
    if not enabled:
        paths = ", ".join(dict.fromkeys(str(rule.place.path) for rule in rules))
        disabled = f", but for disabled ones ({_ids(ours)})" if ours else ""
        raise InputError(
            f"{paths or 'the files'}: no rule {FAMILY}* of AWS has {FRIENDLY}{disabled}", hint=_with_friends(rules)
        )
    by_id: dict[str, list[Rule]] = {}
    for rule in enabled:
        by_id.setdefault(rule.rule_id, []).append(rule)
    trusted = {rule_id: _trusted(several) for rule_id, several in by_id.items()}
    excepted = {rule_id: _excepted(several) for rule_id, several in by_id.items()}
    if len(set(trusted.values())) > 1 or len(set(excepted.values())) > 1:
        lines = [
            f"{shown(rule_id)} ({by_id[rule_id][0].place.path}): {_listed(trusted[rule_id])}; "
            f"{len(excepted[rule_id])} exceptions"
            for rule_id in sorted(by_id)
        ]
        raise InputError(
            "\n".join([f"{len(by_id)} rules have {FRIENDLY}, and they disagree", *lines]),
            hint=f"say which one is meant: --rule-id {min(by_id)}",
        )
    return enabled


def _with_friends(rules: Sequence[Rule]) -> str:
    having = [rule for rule in rules if rule.friendly is not None]
    if not having:
        return f"no rule in there has {FRIENDLY}: was the right file saved?"
    return (
        f"these rules have {FRIENDLY}: {_ids(having)}; if one of them trusts the accounts that may launch your images, "
        f"name it: --rule-id {having[0].rule_id}"
    )


def _ids(rules: Sequence[Rule]) -> str:
    ids = sorted({shown(rule.rule_id) for rule in rules})
    return ", ".join(ids[:_SHOWN]) + (f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else "")


def _trusted(rules: Sequence[Rule]) -> frozenset[Trustee]:
    aside = Found()
    for rule in rules:
        take_friends(aside, rule)
    return frozenset(one.trustee for one in aside.trustees)


def _excepted(rules: Sequence[Rule]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (key, shown(item.value))
        for rule in rules
        for key, items in (("tags", rule.tags), ("resources", rule.resources))
        for item in items
    )


def _listed(trusted: frozenset[Trustee]) -> str:
    names = sorted(map(str, trusted))
    return (", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")) or "nobody"


def _tell_differences(found: Found, chosen: Sequence[Rule]) -> None:
    lists = [_trusted([rule]) for rule in chosen]
    if len(set(lists)) > 1:
        found.notice(
            chosen[0].place,
            f"{len(lists)} lists of {FRIENDLY} differ",
            "each held for its own accounts; the trust policy is their union, and holds for all images",
        )


def _tell_the_rest(found: Found, rules: Sequence[Rule], chosen: Sequence[Rule]) -> None:
    carried = {id(rule) for rule in chosen}
    by_holder: dict[tuple[Place, str], list[Rule]] = {}
    for rule in rules:
        by_holder.setdefault((Place(rule.place.path), rule.holder), []).append(rule)
    for (place, holder), several in by_holder.items():
        others = [rule for rule in several if id(rule) not in carried]
        if others:
            count = "1 other rule" if len(others) == 1 else f"{len(others)} other rules"
            found.lose(place, f"{count}: {_ids(others)}", "other rules' settings and exceptions are not looked at")
        found.lose(
            place,
            f"suppressions of {shown(holder)}",
            "they stand on checks, not on rule settings: write those that still hold as exceptions",
        )
