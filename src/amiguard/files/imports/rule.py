"""The settings of one rule of Conformity or its successor, in any of the spellings of their files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from amiguard.files.imports.record import Found, Place, Value, origin_of, shown

FRIENDLY = "friendlyAccounts"
FAMILY = "EC2-"


@dataclass(frozen=True, slots=True)
class Item:
    """A value and its place."""

    place: Place
    value: Value


@dataclass(frozen=True, slots=True)
class Setting:
    """An extra setting of a rule."""

    place: Place
    name: str
    kind: str
    values: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """The settings of one rule, whatever the envelope.

    Attributes:
        tool: what the file is, in words.
        holder: what the rule belongs to: a profile, an account, a file.
        configured: False for a default that nobody has set.
    """

    rule_id: str
    place: Place
    tool: str
    holder: str
    provider: str | None
    enabled: bool
    configured: bool
    risk: Value
    settings: tuple[Setting, ...] = ()
    tags: tuple[Item, ...] = ()
    resources: tuple[Item, ...] = ()

    @property
    def friendly(self) -> tuple[Item, ...] | None:
        """The values of `friendlyAccounts`; None if the rule has no such setting."""
        settings = [one for one in self.settings if one.name == FRIENDLY]
        return tuple(item for one in settings for item in one.values) if settings else None

    @property
    def is_ours(self) -> bool:
        """Whether the rule is one of EC2 in AWS: images are judged by such a rule."""
        return self.rule_id.startswith(FAMILY) and self.provider in (None, "aws")

    @property
    def origin(self) -> str:
        """For the reasons of what comes from it."""
        return origin_of(self.tool, self.place.path, f"rule {self.rule_id}")


def read_rule(found: Found, raw: Value, place: Place, tool: str, holder: str) -> Rule | None:
    """One rule, in any of the spellings; what is no rule is lost."""
    if not isinstance(raw, dict):
        found.lose(place, shown(raw), "is no rule: expected keys")
        return None
    rule_id = _first(raw, "id", "rule_id")
    if not isinstance(rule_id, str) or not rule_id.strip():
        found.lose(place, shown(rule_id), "a rule without an id")
        return None
    provider = raw.get("provider")
    exceptions = list(_blocks(found, raw.get("exceptions"), place.below("exceptions")))
    return Rule(
        rule_id=str(rule_id),
        place=place,
        tool=tool,
        holder=holder,
        provider=provider if isinstance(provider, str) else None,
        enabled=raw.get("enabled") is not False,
        configured=raw.get("configured") is not False,
        risk=_first(raw, "riskLevel", "risk_level"),
        settings=tuple(_settings(found, raw, place)),
        tags=tuple(_items(found, exceptions, "tags", "filterTags", "filter_tags")),
        resources=tuple(_items(found, exceptions, "resources", "resourceIds", "resource_ids")),
    )


def _settings(found: Found, raw: dict[str, Value], place: Place) -> Iterator[Setting]:
    key = "extra_settings" if "extra_settings" in raw else "extraSettings"
    settings = raw.get(key)
    if settings is not None and not isinstance(settings, list):
        found.lose(place.below(key), shown(settings), "expected a list of settings")
        return
    for number, one in enumerate(settings or ()):
        where = place.below(key, number)
        if not isinstance(one, dict):
            found.lose(where, shown(one), "is no setting: expected keys")
            continue
        name, kind = one.get("name"), one.get("type")
        yield Setting(
            where,
            str(name) if isinstance(name, str) else "",
            str(kind) if isinstance(kind, str) else "",
            tuple(_items(found, [Item(where, one)], "values", "value_set", "valueSet", "value")),
        )


def _blocks(found: Found, raw: Value, place: Place) -> Iterator[Item]:
    """A block: keys, or Terraform's list of them."""
    for number, one in enumerate(raw if isinstance(raw, list) else [raw]):
        where = place.below(number) if isinstance(raw, list) else place
        if isinstance(one, dict):
            yield Item(where, one)
        elif one is not None:
            found.lose(where, shown(one), "expected keys")


def _items(found: Found, blocks: Sequence[Item], *keys: str) -> Iterator[Item]:
    for block in blocks:
        for key in keys:
            raw = block.value.get(key) if isinstance(block.value, dict) else None
            if isinstance(raw, list):
                yield from (Item(block.place.below(key, number), one) for number, one in enumerate(raw))
            elif key == "value" and raw not in (None, ""):
                yield Item(block.place.below(key), raw)
            elif raw not in (None, ""):
                found.lose(block.place.below(key), shown(raw), "expected a list")


def _first(raw: dict[str, Value], *keys: str) -> Value:
    return next((raw[key] for key in keys if raw.get(key) is not None), None)
