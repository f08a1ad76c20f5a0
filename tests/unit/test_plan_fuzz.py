"""Any plan comes back from its file as it was, and no file at all brings the program down."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from amiguard.core.errors import InputError
from amiguard.core.plan import Plan
from amiguard.files.plan_file import load_plan, plan_digest, write_plan
from amiguard.files.plan_v1 import document_of
from amiguard.files.strict_json import digest_of
from tests.unit.plan_strategies import PLAN, WITH_EVIDENCE, plans

WRITTEN = json.dumps(document_of(PLAN)).encode()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["1", "amiguard-plan"]),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=8), some, max_size=3),
    max_leaves=8,
)


def load(data: bytes) -> Plan | None:
    """The plan, or None if the file is refused; anything else is an error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_bytes(data)
        try:
            return load_plan(path)
        except InputError:
            return None


@settings(deadline=None)
@given(plans())
def test_any_plan_is_read_as_it_was_written(plan: Plan) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        write_plan(path, plan)
        assert load_plan(path) == plan
        assert json.loads(path.read_bytes())["digest"] == plan_digest(plan)


@settings(deadline=None)
@given(st.binary() | values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert load(data) is None


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(WRITTEN) - 1), st.integers(0, len(WRITTEN) - 1), st.binary(max_size=4))
def test_a_plan_with_other_bytes_in_it_is_the_same_plan_or_none(start: int, end: int, data: bytes) -> None:
    start, end = sorted((start, end))
    for piece in (data, WRITTEN[start:end] + data):
        assert load(WRITTEN[:start] + piece + WRITTEN[end:]) in (None, PLAN)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_value_anywhere_under_a_right_digest_is_a_plan_or_refused(data: st.DataObject) -> None:
    document: Any = document_of(data.draw(st.sampled_from([PLAN, WITH_EVIDENCE])))
    del document["digest"]
    above, place = document, ""
    while True:
        steps = sorted(above) if isinstance(above, dict) else list(range(len(above)))
        place = data.draw(st.sampled_from(steps))
        if not isinstance(above[place], (dict, list)) or not above[place] or data.draw(st.booleans()):
            break
        above = above[place]
    above[place] = data.draw(values)
    load(json.dumps({**document, "digest": digest_of(document)}).encode())
