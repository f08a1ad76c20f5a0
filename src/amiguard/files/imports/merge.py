"""Write what was found into a settings file: what stands there stays, and what it says already is not said twice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from amiguard.core.errors import InputError, SettingsError
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector, TagSelector, parse_tag_selector
from amiguard.core.trust import TrustedAccount, Trustee
from amiguard.files.atomic_write import create_file, replace_file
from amiguard.files.file_lock import edited_alone
from amiguard.files.imports.record import Found, FoundSelector, FoundTrustee
from amiguard.files.settings import settings_of
from amiguard.files.settings_record import Settings
from amiguard.files.settings_text import LISTS, NewEntry, cannot_edit, quoted, same_trustee
from amiguard.files.yaml_source import MAX_BYTES, parse, read_text
from amiguard.files.yaml_splice import CannotSpliceError, append_section, insert_items
from amiguard.files.yaml_tree import Mapping, PlainValue, plain

_HEAD = """\
# Settings of amiguard, begun by `amiguard import`: who may launch your images (AMIs), and what is accepted on purpose.
#   amiguard trust check            says whether this file is valid, and what is worth a look
version: 1
"""


@dataclass(frozen=True, slots=True)
class NewException:
    """Exceptions of one origin: images by their ids or by their tags, for whoever they are shared with."""

    key: str
    values: tuple[str, ...]
    reason: str
    owner: str

    @property
    def written(self) -> str:
        """As an item of the list of exceptions."""
        values = ", ".join(map(quoted, self.values))
        return (
            f"{{images: {{{self.key}: [{values}]}}, grantees: any, reason: {quoted(self.reason)}, "
            f"owner: {quoted(self.owner)}}}"
        )

    @property
    def exception(self) -> ImageException:
        """As settings hold it."""
        ids = self.values if self.key == "ids" else ()
        tags = tuple(map(parse_tag_selector, self.values)) if self.key == "tags" else ()
        return ImageException(ImageSelector(ids=ids, tags=tags), AnyGrantee(), self.reason, self.owner)


@dataclass(frozen=True, slots=True)
class Merged:
    """What an import makes of a settings file.

    Attributes:
        before: the text of the file; None if there is none yet.
        after: its text with everything that was found.
        added: the entries that are new, in their order.
        exceptions: the exceptions that are new.
        there_already: what the file, or another file of this import, says already, a sentence each.
    """

    before: str | None
    after: str
    added: tuple[NewEntry, ...]
    exceptions: tuple[NewException, ...]
    there_already: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after


def merge(found: Found, path: Path, *, owner: str, today: date, write: bool) -> Merged:
    """Merge what was found into a settings file.

    Args:
        found: what to merge.
        path: the file; it is created if it is not there.
        owner: who answers for the exceptions.
        today: the day (UTC) of the import.
        write: whether the file is written, or only said what it would become.

    Raises:
        InputError: nothing was found, or not enough for a new file; nothing was written.
        SettingsError: the file is not valid, trusts nobody on purpose, or cannot be edited; nothing was written.
        OutputError: the file cannot be written; nothing was.
    """
    if not (found.trustees or found.selectors):
        raise InputError("nothing was found that can be imported: no settings were written")
    with edited_alone(path):
        if path.is_symlink() or path.exists():
            merged = _into(found, path, owner, today)
            if write and merged.changed:
                replace_file(path, merged.after.encode())
        else:
            merged = _new(found, path, owner, today)
            if write:
                create_file(path, merged.after.encode())
    return merged


def _new(found: Found, path: Path, owner: str, today: date) -> Merged:
    if not found.trustees:
        raise InputError(
            "only exceptions were found, and a new settings file must say who is trusted",
            hint="write it first, with `amiguard trust init`",
        )
    said: list[str] = []
    added = list(_new_entries(found.trustees, None, today, said))
    exceptions = _new_exceptions(found.selectors, None, owner, today, said)
    lines = [_HEAD, "trust:"]
    for name in LISTS.values():
        items = [one.written for one in added if one.list_name == name]
        lines += [f"  {name}:", *(f"    - {item}" for item in items)] if items else []
    if exceptions:
        lines += ["", "exceptions:", *(f"  - {one.written}" for one in exceptions)]
    after = "\n".join(lines) + "\n"
    _check(after, path, None, added, exceptions, today=today)
    return Merged(None, after, tuple(added), tuple(exceptions), tuple(said))


def _into(found: Found, path: Path, owner: str, today: date) -> Merged:
    text = read_text(path)
    before = settings_of(text, path, today=today)
    if before.trusts_nobody and found.trustees:
        raise SettingsError(
            f"{path} says `trust: nobody`: it stays as it is",
            hint="if those are to be trusted whom the files name, delete that line, or name another file by --into",
        )
    said: list[str] = []
    added = list(_new_entries(found.trustees, before, today, said))
    exceptions = _new_exceptions(found.selectors, before, owner, today, said)
    after = text
    try:
        for name in LISTS.values():
            if items := [one.written for one in added if one.list_name == name]:
                after = insert_items(after, _section(after, path, "trust"), name, items)
        if exceptions:
            after = _with_exceptions(after, path, [one.written for one in exceptions])
    except CannotSpliceError as error:
        raise cannot_edit(path) from error
    if after != text:
        _check(after, path, (text, before), added, exceptions, today=today)
    return Merged(text, after, tuple(added), tuple(exceptions), tuple(said))


def _new_entries(
    trustees: Sequence[FoundTrustee], before: Settings | None, today: date, said: list[str]
) -> Iterator[NewEntry]:
    known = list(zip(before.policy.entries, before.entry_places, strict=True)) if before else []
    accounts: dict[Trustee, str] = {}
    others: list[tuple[Trustee, str]] = []
    for entry, where in known:
        there = f"there already, {where}"
        if not entry.in_force(today):
            there += f", lapsed after {entry.expires}: it trusts nobody any more"
        if isinstance(entry.trustee, TrustedAccount):
            accounts.setdefault(entry.trustee, there)
        else:
            others.append((entry.trustee, there))
    for one in trustees:
        is_account = isinstance(one.trustee, TrustedAccount)
        # Accounts may be many thousand: they are looked up, the few others compared.
        found_at = accounts.get(one.trustee)
        if not is_account:
            found_at = next((where for other, where in others if same_trustee(other, one.trustee)), None)
        if found_at:
            said.append(f"{one.trustee} ({one.place}): {found_at}")
            continue
        if is_account:
            accounts[one.trustee] = f"named before in {one.place}"
        else:
            others.append((one.trustee, f"named before in {one.place}"))
        yield NewEntry(one.written, one.name, f"imported {today} from {one.origin}")


def _new_exceptions(
    selectors: Sequence[FoundSelector], before: Settings | None, owner: str, today: date, said: list[str]
) -> list[NewException]:
    known = _accepted(before, today) if before else {}
    grouped: dict[tuple[str, str], list[str]] = {}
    for one in selectors:
        selected: str | TagSelector = parse_tag_selector(one.value) if one.key == "tags" else one.value
        if there := known.get((one.key, selected)):
            said.append(f"exception for {one.value} ({one.place}): {there}")
            continue
        known[one.key, selected] = f"named before in {one.place}"
        grouped.setdefault((one.origin, one.key), []).append(one.value)
    return [
        NewException(key, tuple(values), f"imported {today} from {origin}", owner)
        for (origin, key), values in grouped.items()
    ]


def _accepted(before: Settings, today: date) -> dict[tuple[str, str | TagSelector], str]:
    """The ids and tags that alone, for whoever it is, are excepted already."""
    known: dict[tuple[str, str | TagSelector], str] = {}
    for one, where in zip(before.exceptions, before.exception_places, strict=True):
        images = one.images
        there = f"there already, {where}"
        if not one.in_force(today):
            there += f", lapsed after {one.expires}: it accepts nothing any more"
        if isinstance(one.grantees, AnyGrantee) and not (images.names or images.accounts or images.regions):
            if images.ids and not images.tags:
                known |= {("ids", value): there for value in images.ids}
            if images.tags and not images.ids:
                known |= {("tags", tag): there for tag in images.tags}
    return known


def _section(text: str, path: Path, key: str | None = None) -> Mapping:
    try:
        top, _ = parse(text, path)
    except SettingsError as error:
        # The file was valid: the edit before this one has spoilt it.
        raise CannotSpliceError from error
    section = top.get(key) if isinstance(top, Mapping) and key else top
    if not isinstance(section, Mapping):
        raise CannotSpliceError
    return section


def _with_exceptions(text: str, path: Path, items: list[str]) -> str:
    top = _section(text, path)
    if top.get("exceptions") is None:
        return append_section(text, top, "exceptions", items)
    return insert_items(text, top, "exceptions", items)


def _check(
    after: str,
    path: Path,
    before: tuple[str, Settings] | None,
    added: Sequence[NewEntry],
    exceptions: Sequence[NewException],
    *,
    today: date,
) -> None:
    """See that the new text says what the old one said and what was added, and nothing else."""
    if len(after.encode()) > MAX_BYTES:
        raise InputError(f"{path} would be larger than {MAX_BYTES // 1024} KiB: import less")
    old = before[1] if before else None
    try:
        settings = settings_of(after, path, today=today)
    except SettingsError as error:
        raise cannot_edit(path) from error
    entries = sorted([*(old.policy.entries if old else ()), *(one.entry for one in added)], key=repr)
    expected = [*(old.exceptions if old else ()), *(one.exception for one in exceptions)]
    if sorted(settings.policy.entries, key=repr) != entries or [*settings.exceptions] != expected:
        raise cannot_edit(path)
    if before and _rest(before[0], path) != _rest(after, path):
        raise cannot_edit(path)


def _rest(text: str, path: Path) -> dict[str, PlainValue]:
    top, _ = parse(text, path)
    values = plain(top) if top is not None else None
    rest = values if isinstance(values, dict) else {}
    return {key: one for key, one in rest.items() if key not in ("trust", "exceptions")}
