"""Add an entry to the trust policy of a settings file, or remove one: the rest of the file stays as it is.

The edit is made in the text, read again, and written only if the file then says exactly what was asked for.
"""

from collections import Counter
from datetime import date
from pathlib import Path

from amiguard.core.errors import SettingsError
from amiguard.core.trust import Trustee, TrustEntry, parse_trustee
from amiguard.files.atomic_write import replace_file
from amiguard.files.file_lock import edited_alone
from amiguard.files.settings import settings_of
from amiguard.files.settings_record import Settings
from amiguard.files.settings_text import LISTS, NewEntry, cannot_edit, same_trustee
from amiguard.files.yaml_source import parse, read_text
from amiguard.files.yaml_splice import CannotSpliceError, delete_item, insert_items
from amiguard.files.yaml_tree import Mapping, Node, Scalar, Sequence, find


def add_entry(path: Path, new: NewEntry, *, today: date) -> str:
    """Append an entry to the policy.

    Args:
        path: the settings file.
        new: the entry; its id is one that `parse_trustee` reads.
        today: the day (UTC) by which dates are judged.

    Returns:
        Where the entry stands now.

    Raises:
        SettingsError: the file is not valid, says `trust: nobody` or names this id already; nothing was written.
        OutputError: the file cannot be written; nothing was.
    """
    with edited_alone(path):
        return _add(path, new, today)


def _add(path: Path, new: NewEntry, today: date) -> str:
    text = read_text(path)
    before = settings_of(text, path, today=today)
    if before.trusts_nobody:
        raise SettingsError(
            f"{path} says `trust: nobody`: it stays as it is",
            hint=f'to trust {new.written_id}, replace it by `trust: {{{new.list_name}: ["{new.written_id}"]}}`',
        )
    for entry, where in zip(before.policy.entries, before.entry_places, strict=True):
        if same_trustee(entry.trustee, new.entry.trustee):
            lapsed = "" if entry.in_force(today) else f", lapsed after {entry.expires}: set a later day there"
            raise SettingsError(f"{where}: {entry.trustee} stands here already{lapsed}")
    try:
        edited = insert_items(text, _trust_section(text, path), new.list_name, [new.written])
    except CannotSpliceError as error:
        raise cannot_edit(path) from error
    after = _write(path, edited, before, [*before.policy.entries, new.entry], today)
    return after.entry_places[after.policy.entries.index(new.entry)]


def remove_entry(path: Path, trustee: Trustee, *, today: date) -> tuple[TrustEntry, ...]:
    """Take an entry out of the policy; all of them, if it stands there more than once.

    Args:
        path: the settings file.
        trustee: whom to trust no more. An id means its entry by ARN too, and the other way round.
        today: the day (UTC) by which dates are judged.

    Returns:
        The entries that were removed.

    Raises:
        SettingsError: the file is not valid, has no such entry, or no other; nothing was written.
        OutputError: the file cannot be written; nothing was.
    """
    with edited_alone(path):
        return _remove(path, trustee, today)


def _remove(path: Path, trustee: Trustee, today: date) -> tuple[TrustEntry, ...]:
    text = read_text(path)
    before = settings_of(text, path, today=today)
    gone = tuple(entry for entry in before.policy.entries if same_trustee(entry.trustee, trustee))
    left = [entry for entry in before.policy.entries if not same_trustee(entry.trustee, trustee)]
    if not gone:
        raise SettingsError(f"{path}: no entry of the trust policy names {trustee}")
    if not left:
        raise SettingsError(
            f"{path}: the trust policy has no entry but {trustee}: it stays",
            hint="if you trust no one, replace the section by `trust: nobody`",
        )
    try:
        for _ in gone:
            text = _without_first(text, path, trustee)
    except CannotSpliceError as error:
        raise cannot_edit(path) from error
    _write(path, text, before, left, today)
    return gone


def _trust_section(text: str, path: Path) -> Mapping:
    try:
        top, _ = parse(text, path)
    except SettingsError as error:
        # The file was valid: the edit before this one has spoilt it.
        raise CannotSpliceError from error
    section = top.get("trust") if isinstance(top, Mapping) else None
    if not isinstance(section, Mapping):
        raise CannotSpliceError
    return section


def _without_first(text: str, path: Path, trustee: Trustee) -> str:
    name = LISTS[type(trustee)]
    entries = _trust_section(text, path).get(name)
    for place, item in enumerate(entries.items if isinstance(entries, Sequence) else ()):
        if isinstance(entries, Sequence) and same_trustee(parse_trustee(_id_text(item)), trustee):
            return delete_item(text, entries, place)
    raise CannotSpliceError


def _id_text(item: Node) -> str:
    written = find(item, ("id",))
    return (written.text or "") if isinstance(written, Scalar) else ""


def _write(path: Path, edited: str, before: Settings, entries: list[TrustEntry], today: date) -> Settings:
    try:
        after = settings_of(edited, path, today=today)
    except SettingsError as error:
        raise cannot_edit(path) from error
    expected = (Counter(entries), before.exceptions, before.regions)
    if (Counter(after.policy.entries), after.exceptions, after.regions) != expected:
        raise cannot_edit(path)
    replace_file(path, edited.encode())
    return after
