"""Which settings file counts."""

from pathlib import Path

import pytest

from amiguard.core.errors import SettingsError
from amiguard.files.settings_lookup import find_settings, new_settings_path


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """A settings file in every place that is looked at."""
    found = {
        "named": tmp_path / "named.yaml",
        "variable": tmp_path / "variable.yaml",
        "folder": tmp_path / "folder" / "amiguard.yaml",
        "xdg": tmp_path / "xdg" / "amiguard" / "amiguard.yaml",
        "home": tmp_path / "home" / ".config" / "amiguard" / "amiguard.yaml",
    }
    for path in found.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return found


def test_the_first_that_there_is(places: dict[str, Path], tmp_path: Path) -> None:
    environment = {
        "AMIGUARD_CONFIG": str(places["variable"]),
        "XDG_CONFIG_HOME": str(tmp_path / "xdg"),
        "HOME": str(tmp_path / "home"),
    }
    folder = places["folder"].parent

    assert find_settings(places["named"], environment=environment, folder=folder) == places["named"]
    assert find_settings(None, environment=environment, folder=folder) == places["variable"]
    environment["AMIGUARD_CONFIG"] = ""
    assert find_settings(None, environment=environment, folder=folder) == places["folder"]
    places["folder"].unlink()
    assert find_settings(None, environment=environment, folder=folder) == places["xdg"]
    places["xdg"].unlink()
    assert find_settings(None, environment=environment, folder=folder) is None
    environment["XDG_CONFIG_HOME"] = "relative"
    assert find_settings(None, environment=environment, folder=folder) == places["home"]
    assert find_settings(None, environment={}, folder=folder) is None


def test_a_named_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        find_settings(Path("no.yaml"), environment={"AMIGUARD_CONFIG": "other.yaml"}, folder=tmp_path)
    assert caught.value.message == "there is no settings file no.yaml (--config)"

    with pytest.raises(SettingsError) as caught:
        find_settings(None, environment={"AMIGUARD_CONFIG": "other.yaml"}, folder=tmp_path)
    assert caught.value.message == "there is no settings file other.yaml (AMIGUARD_CONFIG)"
    assert caught.value.hint == "`amiguard trust init` writes one to start from"


def test_a_link_that_leads_nowhere_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").symlink_to("gone.yaml")

    assert find_settings(None, environment={}, folder=tmp_path) == tmp_path / "amiguard.yaml"


def test_where_a_new_file_belongs() -> None:
    environment = {"AMIGUARD_CONFIG": "/etc/amiguard.yaml"}

    assert new_settings_path(Path("x.yaml"), environment=environment) == Path("x.yaml")
    assert new_settings_path(None, environment=environment) == Path("/etc/amiguard.yaml")
    assert new_settings_path(None, environment={}) == Path("amiguard.yaml")
