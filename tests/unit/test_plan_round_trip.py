"""Any plan comes back from its file as it was."""

import json
import tempfile
from pathlib import Path

from hypothesis import given

from amiguard.core.plan import Plan
from amiguard.files.plan_file import load_plan, plan_digest, write_plan
from tests.unit.plan_strategies import plans


@given(plans())
def test_any_plan_is_read_as_it_was_written(plan: Plan) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        write_plan(path, plan)
        assert load_plan(path) == plan
        assert json.loads(path.read_bytes())["digest"] == plan_digest(plan)
