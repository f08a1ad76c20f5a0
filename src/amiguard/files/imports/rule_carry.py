"""What a rule of Conformity or its successor trusts and excepts, in the words of the settings file."""

import re

from amiguard.files.imports.identity import take_trustee
from amiguard.files.imports.record import Found, FoundSelector, Place, shown
from amiguard.files.imports.rule import FRIENDLY, Item, Rule, Setting

_DEFAULT_RISK = "HIGH"
_IMAGE_ID = re.compile(r"ami-[0-9a-f]{8}(?:[0-9a-f]{9})?")
_IMAGE_ARN = re.compile(r"arn:aws[a-z-]*:ec2:[a-z0-9-]*:[0-9]*:image/(ami-[0-9a-f]{8}(?:[0-9a-f]{9})?)")
_OWN_ORGANIZATION = "includeAwsOrganizationAccounts"
_SHOWN = 20


def take_friends(found: Found, rule: Rule) -> None:
    """Add the accounts that a rule trusts."""
    for item in rule.friendly or ():
        value, name = item.value, None
        if isinstance(value, dict):
            if value.get("enabled") is False:
                found.lose(item.place, shown(value.get("value")), "is switched off in the list")
                continue
            name, value = value.get("label"), value.get("value")
        take_trustee(found, value, item.place, rule.origin, name=name)


def carry_rule(found: Found, rule: Rule, *, named: bool) -> None:
    """Add what a rule trusts and excepts, and what of it is lost.

    Args:
        found: what is added to.
        rule: the rule.
        named: whether `--rule-id` names it.
    """
    if named and not rule.enabled:
        found.notice(rule.place, f"rule {rule.rule_id}", "is disabled, and carried as --rule-id names it")
    if rule.friendly is None:
        found.lose(rule.place, f"rule {rule.rule_id}", f"has no {FRIENDLY}: it trusts nobody")
    take_friends(found, rule)
    for setting in rule.settings:
        if setting.name != FRIENDLY:
            _lose_setting(found, setting)
    if isinstance(rule.risk, str) and rule.risk != _DEFAULT_RISK:
        found.lose(
            rule.place,
            f"risk level {shown(rule.risk)}",
            "severities are not set: critical if everyone may launch, else high",
        )
    if not rule.is_ours:
        for item in (*rule.tags, *rule.resources):
            found.lose(item.place, shown(item.value), f"an exception of {rule.rule_id} is not about images")
        return
    for item in rule.tags:
        _take_tag(found, item, rule)
    for item in rule.resources:
        _take_resource(found, item, rule)


def _lose_setting(found: Found, setting: Setting) -> None:
    values = [item.value.get("value") if isinstance(item.value, dict) else item.value for item in setting.values]
    switched_on = [
        item.value.get("value")
        for item in setting.values
        if isinstance(item.value, dict) and item.value.get("enabled") is True
    ]
    listed = ", ".join(shown(value) for value in values[:_SHOWN]) or "nothing"
    match setting.name:
        case "accountTags":
            why = "which accounts have these tags cannot be known offline: add the accounts yourself"
        case _ if _OWN_ORGANIZATION in switched_on:
            why = "trusts all accounts of the AWS organization: if you want that, `amiguard trust add own`"
        case _:
            why = "a setting that amiguard does not have"
    found.lose(setting.place, f"{shown(setting.name)}: {listed}", why)


def _take_tag(found: Found, item: Item, rule: Rule) -> None:
    text = item.value
    if not isinstance(text, str) or not text.strip() or not text.isprintable():
        found.lose(item.place, shown(text), "is no tag: expected printable text")
        return
    key, colons, value = text.partition("::")
    if text.count("::") > 1 or ":::" in text:
        found.lose(item.place, shown(text), "where the key ends is not certain: write the exception yourself")
    elif colons and not key:
        found.lose(item.place, shown(text), "a tag without a key")
    elif colons and "=" in key:
        found.lose(item.place, shown(text), "a key with = in it cannot be written as key=value here")
    elif colons:
        found.selectors.append(FoundSelector("tags", f"{key}={value}", rule.origin, item.place))
    else:
        _take_bare_tag(found, item.place, text, rule)


def _take_bare_tag(found: Found, place: Place, text: str, rule: Rule) -> None:
    """A text without `::` exempts by key or by value (documentation of trendmicro/terraform-provider-conformity)."""
    if "=" in text:
        found.lose(place, f"tag key {shown(text)}", "a key with = in it cannot be written here; its value is carried")
        written = [f"={text}"]
    else:
        written = [text, f"={text}"]
    found.notice(place, shown(text), f"means a key or a value: written as {' and '.join(map(shown, written))}")
    found.selectors += [FoundSelector("tags", one, rule.origin, place) for one in written]


def _take_resource(found: Found, item: Item, rule: Rule) -> None:
    text = item.value
    if isinstance(text, str) and _IMAGE_ID.fullmatch(text):
        found.selectors.append(FoundSelector("ids", str(text), rule.origin, item.place))
    elif isinstance(text, str) and (arn := _IMAGE_ARN.fullmatch(text)):
        found.notice(item.place, shown(text), f"read as {arn[1]}")
        found.selectors.append(FoundSelector("ids", arn[1], rule.origin, item.place))
    else:
        found.lose(item.place, shown(text), "is no image id (ami-...)")
