"""Files of other tools: whatever they hold, an import ends in settings that are valid, or in an error."""

import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from amiguard.core.errors import AmiguardError
from amiguard.files.imports.merge import merge
from amiguard.files.imports.reading import read_files
from amiguard.files.settings import settings_of
from tests.fuzz.target import Form, Target, as_file

DATA = Path(__file__).parent.parent / "data" / "imports"
TODAY = date(2026, 8, 1)


def import_file(data: bytes) -> None:
    """What is written is valid and holds what was found; the same file imported again adds nothing."""
    with as_file(data, "foreign") as path:
        shutil.copytree(DATA / "lists", path.parent / "lists")
        into = path.parent / "amiguard.yaml"
        found = read_files([path], rule_id=None)
        assert all(str(one.place) and one.why for one in (*found.losses, *found.notices))
        first = merge(found, into, owner="o", today=TODAY, write=True)
        settings = settings_of(first.after, into, today=TODAY)
        assert {one.trustee for one in found.trustees} <= {one.trustee for one in settings.policy.entries}
        again = merge(read_files([path], rule_id=None), into, owner="o", today=TODAY, write=True)
        assert not again.changed


def _target(name: str, form: Form, files: Iterable[str], examples: int) -> Target:
    seeds = tuple((DATA / one).read_bytes() for one in files)
    return Target(f"import-{name}", form, import_file, (AmiguardError,), seeds, examples)


IMPORT_TARGETS = (
    _target("conformity", Form.JSON, ["account-settings.json", "profile.json", "profile-downloaded.json"], 180),
    _target("vision-one", Form.JSON, ["scan-rules-2.json"], 120),
    _target("terraform", Form.JSON, ["terraform-plan.json"], 120),
    _target("powerpipe", Form.JSON, ["perimeter.json"], 120),
    _target("powerpipe-hcl", Form.TEXT, ["perimeter.ppvars"], 60),
    _target("custodian", Form.TEXT, ["custodian.yml"], 90),
    _target("prowler", Form.TEXT, ["prowler.yaml"], 90),
    _target("list-json", Form.JSON, ["accounts.json"], 120),
    _target("list-text", Form.TEXT, ["accounts.csv", "accounts.txt"], 120),
)
