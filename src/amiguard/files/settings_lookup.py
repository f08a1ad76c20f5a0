"""Which settings file counts: the first that there is, and no other; nothing is merged."""

import os
from collections.abc import Mapping
from pathlib import Path

from amiguard.core.errors import SettingsError

FILE_NAME = "amiguard.yaml"
VARIABLE = "AMIGUARD_CONFIG"


def find_settings(named: Path | None, *, environment: Mapping[str, str], folder: Path = Path()) -> Path | None:
    """The settings file of this run.

    Args:
        named: the file that was asked for (`--config`).
        environment: the environment variables.
        folder: the current folder.

    Returns:
        The named file, else that of `AMIGUARD_CONFIG`, else `amiguard.yaml` in the folder, else the one in the user's
        config folder; None if there is none of these.

    Raises:
        SettingsError: a file was named, and it is not there.
    """
    for path, source in ((named, "--config"), (_from(environment), VARIABLE)):
        if path is not None:
            if not os.path.lexists(path):
                raise SettingsError(
                    f"there is no settings file {path} ({source})",
                    hint="`amiguard trust init` writes one to start from",
                )
            return path
    # lexists: a link that leads nowhere is a mistake to tell, not a file to pass over.
    return next((path for path in (folder / FILE_NAME, *_in_config_folder(environment)) if os.path.lexists(path)), None)


def new_settings_path(named: Path | None, *, environment: Mapping[str, str], folder: Path = Path()) -> Path:
    """Where a new settings file belongs, so that the next command finds it."""
    return named or _from(environment) or folder / FILE_NAME


def _from(environment: Mapping[str, str]) -> Path | None:
    value = environment.get(VARIABLE)
    return Path(value) if value else None


def _in_config_folder(environment: Mapping[str, str]) -> list[Path]:
    # XDG Base Directory Specification: a path that is not absolute is to be ignored.
    configured = Path(environment.get("XDG_CONFIG_HOME", ""))
    if configured.is_absolute():
        return [configured / "amiguard" / FILE_NAME]
    home = environment.get("HOME")
    return [Path(home) / ".config" / "amiguard" / FILE_NAME] if home else []
