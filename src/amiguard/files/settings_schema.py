"""The JSON Schema of the settings file, made from the model.

`settings.schema.json` beside this module is what is published. After a change of the model write it anew:

    python -m amiguard.files.settings_schema
"""

import json
from pathlib import Path
from typing import Any

from amiguard.files.settings_model import SettingsFile

PUBLISHED = Path(__file__).with_name("settings.schema.json")


def generated_schema() -> str:
    """The text of the schema as the model gives it now."""
    schema = SettingsFile.model_json_schema()
    _drop_empty_defaults(schema)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _drop_empty_defaults(schema: Any) -> None:
    # An absent key is None in the model; in the file `name: null` is a mistake, and no editor should offer it.
    if isinstance(schema, dict):
        if schema.get("default", "") is None:
            del schema["default"]
        for value in schema.values():
            _drop_empty_defaults(value)
    elif isinstance(schema, list):
        for value in schema:
            _drop_empty_defaults(value)


if __name__ == "__main__":
    PUBLISHED.write_text(generated_schema(), encoding="utf-8")
