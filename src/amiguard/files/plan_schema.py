"""The JSON Schema of the plan file, made from the model.

`plan_v1.schema.json` beside this module is what is published. After a change of the model write it anew:

    python -m amiguard.files.plan_schema
"""

import json
from pathlib import Path

from amiguard.files.plan_v1 import PlanFile

PUBLISHED = Path(__file__).with_name("plan_v1.schema.json")


def generated_schema() -> str:
    """The text of the schema as the model gives it now."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **PlanFile.model_json_schema()}
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    PUBLISHED.write_text(generated_schema(), encoding="utf-8")
