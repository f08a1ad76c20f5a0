"""What people were told last, a file for each channel and scope in the state folder: `on: change` asks it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from amiguard.files.bounded import TooLargeError, read_bounded
from amiguard.files.private_file import write_private_file
from amiguard.files.state_folder import notify_folder
from amiguard.files.strict_json import NotJsonError, UnfitJsonError, canonical, read_object

_VERSION = 1
_LARGEST = 64 * 1024 * 1024  # a hundred bytes a finding


class NotifyState:
    """What was told of one scope.

    Args:
        folder: from `state_folder`.
        scope: from `notify_scope`.
    """

    def __init__(self, folder: Path, scope: str) -> None:
        self._folder = folder
        self._scope = scope

    def recall(self, key: str) -> dict[str, str] | None:
        """What failed when that channel was last told: severities by fingerprint.

        A file that cannot be read, or is not ours, counts for none: what fails is told again.
        """
        try:
            found = read_object(read_bounded(self._path(key), _LARGEST))
        except (OSError, TooLargeError, NotJsonError, UnfitJsonError):
            return None
        failing = found.get("failing")
        return failing if found.get("version") == _VERSION and _is_failing(failing) else None

    def remember(self, key: str, failing: Mapping[str, str]) -> None:
        """Keep what was told, for its owner only.

        Raises:
            OutputError: it cannot be written; what was there stays.
        """
        folder = notify_folder(self._folder)
        write_private_file(folder / self._path(key).name, canonical({"version": _VERSION, "failing": dict(failing)}))

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(f"{key} {self._scope}".encode()).hexdigest()[:40]
        return self._folder / "notify" / f"{name}.json"


def notify_scope(account_id: str, settings: Path | None, audited: Iterable[object]) -> str:
    """Tells apart audits of different things: each is compared with the last of its own.

    Args:
        account_id: who audits.
        settings: the settings file, if there is one.
        audited: what was asked for: regions, accounts, images, tags, checks; anything JSON or `str` can say, in an
            order that does not change from run to run.
    """
    parts = [account_id, str(settings.resolve()) if settings else None, list(audited)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _is_failing(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
