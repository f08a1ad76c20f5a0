"""A list of vendors' accounts, in the format of the public lists of known AWS accounts, as YAML or JSON.

    - name: Example Monitoring
      source: [https://example.com/docs]
      accounts: ["012345678901"]

Such a list gives names to ids and decides nothing. What is not understood in it is passed over, with a warning.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from amiguard.core.errors import InputError
from amiguard.files.bounded import TooLargeError, read_bounded
from amiguard.files.problems import Problem, written
from amiguard.files.yaml_source import parse
from amiguard.files.yaml_tree import KeyPath, Mapping, Node, Scalar, Sequence

MAX_BYTES = 4 * 1024 * 1024
_HINT = "expected a YAML list of vendors, each with `name` and `accounts`"
_MOST_TOLD = 10
_ID = re.compile("[0-9]{12}")
# YAML writers that take ids for numbers drop leading zeros: one id in a thousand loses more than two.
_LOST_ZEROS = re.compile("[1-9][0-9]{8,10}")


@dataclass(frozen=True, slots=True)
class Vendors:
    """Names of vendors by the ids of their accounts; `warnings` say what was passed over, a line each."""

    names: dict[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    text: str
    names: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def load_vendors(path: Path) -> Vendors:
    """Read a list of vendors. An account that two of them claim is the first one's.

    Raises:
        InputError: the file cannot be read, is too large or no text, or is not a list.
        SettingsError: it is not YAML.
    """
    text = _read(path)
    top, problems = parse(text, path)
    if not isinstance(top, Sequence):
        raise InputError(f"{path} is not a list of vendors", hint=_HINT)
    reading = _Reading(text, problems=problems)
    for number, vendor in enumerate(top.items):
        _read_vendor(vendor, (number,), reading)
    if top.items and not reading.names:
        raise InputError(f"{path} names no account of a vendor", hint=_HINT)
    told = [written(path, one) for one in reading.problems[:_MOST_TOLD]]
    if more := len(reading.problems) - len(told):
        told.append(f"{path}: ... and {more} more")
    return Vendors(reading.names, tuple(told))


def _read(path: Path) -> str:
    try:
        return read_bounded(path, MAX_BYTES).decode("utf-8-sig")
    except TooLargeError as error:
        large = f"{path} is larger than {MAX_BYTES // 1024**2} MiB: this is no list of vendors"
        raise InputError(large, hint=_HINT) from error
    except OSError as error:
        raise InputError(
            f"{path}, the list of vendors, cannot be read: {error.strerror}",
            hint="`vendors` in the settings names it, beside the settings file",
        ) from error
    except ValueError as error:
        # A name that no file can have (a NUL in it), or bytes that are no text.
        raise InputError(f"{path}, the list of vendors, is not UTF-8 text", hint=_HINT) from error


def _read_vendor(node: Node, path: KeyPath, reading: _Reading) -> None:
    name = node.get("name") if isinstance(node, Mapping) else None
    accounts = node.get("accounts") if isinstance(node, Mapping) else None
    if not isinstance(name, Scalar) or not (name.text or "").strip() or not isinstance(accounts, Sequence):
        reading.problems.append(Problem(node.mark, path, "passed over: expected `name` and a list of `accounts`"))
        return
    for number, account in enumerate(accounts.items):
        account_id = _account_id(account, reading.text)
        if account_id is None:
            message = "passed over: expected an account id of twelve digits, in quotes"
            reading.problems.append(Problem(account.mark, (*path, "accounts", number), message))
        else:
            reading.names.setdefault(account_id, str(name.text).strip())


def _account_id(node: Node, text: str) -> str | None:
    if not isinstance(node, Scalar) or node.text is None:
        return None
    # The text that is written counts, not the number that YAML would read: 012345670123 would be octal.
    if _ID.fullmatch(node.text):
        return node.text
    is_number = text[node.start : node.start + 1] not in ("'", '"')
    return node.text.zfill(12) if is_number and _LOST_ZEROS.fullmatch(node.text) else None
