"""Values that readers may stumble over, and how they are written into JSON."""

import json
import re
from typing import Any

from hypothesis import strategies as st

from tests.unit.hostile_strings import HOSTILE

_RAW = re.compile(r'"@@raw:([a-z]+):(-?[0-9]+)@@"')

# What `json` itself would not write, or only slowly: `written` puts it in place of these texts.
RAW = (
    "@@raw:deep:60@@",
    "@@raw:deep:400@@",
    "@@raw:deep:100000@@",
    "@@raw:objects:300@@",
    "@@raw:digits:30@@",
    "@@raw:digits:4300@@",
    "@@raw:digits:4301@@",
    "@@raw:infinity:1@@",
    "@@raw:infinity:-1@@",
    "@@raw:nan:0@@",
    "@@raw:exponent:400@@",
    "@@raw:exponent:-5@@",
)
TIMES = (
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2026-06-15T08:00:00",
    "2026-06-15",
    "2026-02-30T00:00:00Z",
    "2026-W01-1T00:00:00Z",
    "20260615T080000Z",
    "2026-06-15T08:00:00.123456789Z",
)
SCALARS: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**63,
    0.5,
    "",
    " ",
    "1",
    "*",
    "all",
    "999988887777",
    "012345670123",
    "\u0661" * 12,
    "ami-0",
    "__proto__",
    "amiguard",
    "pass",
    "x" * 5000,
    *TIMES,
    *HOSTILE.values(),
    *RAW,
)
VALUES: tuple[Any, ...] = (
    *SCALARS,
    [],
    {},
    [None],
    [[]],
    {"": None},
    [1, "1"],
    {"items": [{"userId": "999988887777"}]},
    {"a": {"b": {"c": []}}},
    ["x"] * 300,
)
values: st.SearchStrategy[Any] = st.integers(0, len(VALUES) - 1).map(lambda number: VALUES[number])


def written(value: object) -> bytes:
    """The value as JSON, half characters and raw texts included."""
    text = json.dumps(value)
    return (_RAW.sub(_raw, text) if "@@raw:" in text else text).encode()


def deep(depth: int, first: str = "[", last: str = "]") -> str:
    """JSON that is nested so deeply."""
    return first * depth + last * depth


def _raw(found: re.Match[str]) -> str:
    kind, number = found[1], int(found[2])
    match kind:
        case "deep":
            return deep(number)
        case "objects":
            return '{"a":' * number + "1" + "}" * number
        case "digits":
            return "9" * number
        case "infinity":
            return "Infinity" if number > 0 else "-Infinity"
        case "nan":
            return "NaN"
        case _:
            return f"1e{number}"
