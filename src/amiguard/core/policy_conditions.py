"""Whether a condition of a policy is met by the requests that are asked about.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context
keys".
"""

from collections.abc import Mapping

from amiguard.core.policy_document import Condition
from amiguard.core.policy_patterns import Comparison, Truth, Value, compare

# Operator -> how it compares, and whether it is met by what does not match. ArnEquals works as ArnLike does. Numbers,
# dates, addresses and binary data are in none of the keys that are known.
_OPERATORS = {
    "StringEquals": (Comparison.EQUALS, False),
    "StringNotEquals": (Comparison.EQUALS, True),
    "StringEqualsIgnoreCase": (Comparison.IGNORE_CASE, False),
    "StringNotEqualsIgnoreCase": (Comparison.IGNORE_CASE, True),
    "StringLike": (Comparison.LIKE, False),
    "StringNotLike": (Comparison.LIKE, True),
    "ArnEquals": (Comparison.ARN, False),
    "ArnLike": (Comparison.ARN, False),
    "ArnNotEquals": (Comparison.ARN, True),
    "ArnNotLike": (Comparison.ARN, True),
    "Bool": (Comparison.IGNORE_CASE, False),
}
_ANY, _ALL, _IF_EXISTS = "ForAnyValue:", "ForAllValues:", "IfExists"


def met(condition: Condition, context: Mapping[str, Value]) -> Truth:
    """Whether the condition is met; `MAYBE` for every key and operator that is not known.

    Args:
        condition: of a statement.
        context: what is known of the requests, by condition key in lower case.
    """
    value = context.get(condition.key)
    if value is None or not condition.values:
        return Truth.MAYBE
    if condition.operator == "Null":
        return _absent(condition, value)
    name = condition.operator
    quantifier = next((prefix for prefix in (_ANY, _ALL) if name.startswith(prefix)), "")
    name = name.removeprefix(quantifier)
    base = name.removesuffix(_IF_EXISTS)
    if base not in _OPERATORS or (value.several and not quantifier):
        return Truth.MAYBE
    comparison, negated = _OPERATORS[base]
    present = Truth.NO
    if value.present is not Truth.NO:
        matches = max(compare(text, value, comparison) for text in condition.values)
        present = matches.opposite if negated else matches
    if value.present is Truth.YES:
        return present
    absent = _without_the_key(quantifier, negated=negated, if_exists=base != name)
    if value.present is Truth.NO:
        return absent
    return present if present is absent else Truth.MAYBE


def _without_the_key(quantifier: str, *, negated: bool, if_exists: bool) -> Truth:
    """Whether a condition is met by a request that lacks the key."""
    if quantifier == _ALL:
        return Truth.YES
    if quantifier == _ANY:
        # What IfExists does to ForAnyValue is not documented.
        return Truth.MAYBE if if_exists else Truth.NO
    return Truth.YES if negated or if_exists else Truth.NO


def _absent(condition: Condition, value: Value) -> Truth:
    wanted = {text.lower() for text in condition.values}
    if wanted == {"true"}:
        return value.present.opposite
    return value.present if wanted == {"false"} else Truth.MAYBE
