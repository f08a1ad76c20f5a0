"""Load `amiguard.yaml`: every mistake at once with its place and mend, or settings in core's types."""

from datetime import date
from pathlib import Path

from pydantic import ValidationError

from amiguard.core.checks.registry import ADDITIONAL, additional_checks
from amiguard.core.evidence import EvidenceSettings
from amiguard.core.exception import AnyGrantee, ImageException
from amiguard.core.remediation import RemediationSettings
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, TrustEntry, TrustPolicy
from amiguard.files.problems import Problem, as_error, place, written
from amiguard.files.settings_mistakes import mistakes
from amiguard.files.settings_model import (
    NO_TRUST,
    AccountEntry,
    ExceptionEntry,
    OrganizationEntry,
    SettingsFile,
    TrustSection,
    UnitEntry,
)
from amiguard.files.settings_record import Settings
from amiguard.files.settings_targets import TargetsSection
from amiguard.files.settings_warnings import find_warnings
from amiguard.files.yaml_source import parse, read_text
from amiguard.files.yaml_tree import KeyPath, Mark, Node, find, plain


def load_settings(path: Path, *, today: date) -> Settings:
    """Read a settings file.

    Args:
        path: the file; messages name it as it is given here.
        today: the day (UTC) by which dates are judged past or near.

    Raises:
        SettingsError: it cannot be read or is not valid; the message lists all mistakes, a line each.
    """
    return settings_of(read_text(path), path, today=today)


def settings_of(text: str, path: Path, *, today: date) -> Settings:
    """As `load_settings`, from the text of the file.

    Raises:
        SettingsError: the text is not a valid settings file.
    """
    top, problems = parse(text, path)
    if top is None:
        raise as_error(path, [Problem(Mark(1, 1), ("trust",), NO_TRUST)])
    file, more = _checked(top)
    problems += more
    if problems or file is None:
        raise as_error(path, problems)
    return _settings(file, top, path, today)


def _checked(top: Node) -> tuple[SettingsFile | None, list[Problem]]:
    try:
        return SettingsFile.model_validate(plain(top)), []
    except ValidationError as error:
        return None, mistakes(top, error)


def _settings(file: SettingsFile, top: Node, path: Path, today: date) -> Settings:
    section = file.trust
    entries = [] if isinstance(section, str) else _entries(section)
    exceptions: list[tuple[KeyPath, ImageException]] = [
        (("exceptions", number), _exception(one)) for number, one in enumerate(file.exceptions or ())
    ]
    targets = file.targets or TargetsSection()
    found = find_warnings(top, entries, exceptions, targets, file.remediation, today=today)
    return Settings(
        policy=TrustPolicy(tuple(entry for _, entry in entries)),
        entry_places=tuple(place(path, find(top, where).mark, where) for where, _ in entries),
        trusts_nobody=isinstance(section, str),
        exceptions=tuple(exception for _, exception in exceptions),
        exception_places=tuple(place(path, find(top, where).mark, where) for where, _ in exceptions),
        scope=targets.scope(),
        checks=ADDITIONAL if isinstance(file.checks, str) else additional_checks(file.checks),
        evidence=file.evidence.settings() if file.evidence else EvidenceSettings(),
        remediation=file.remediation.settings() if file.remediation else RemediationSettings(),
        notify=tuple(
            entry.entry(number, place(path, find(top, ("notify", number)).mark, ("notify", number)))
            for number, entry in enumerate(file.notify or ())
        ),
        vendors=None if file.vendors is None else path.parent / file.vendors,
        conformity_rule_id=None if file.conformity is None else file.conformity.rule_id,
        warnings=tuple(written(path, one) for one in found),
        path=path,
    )


_Item = TrustedAccount | TrustedOrganization | TrustedUnit | AccountEntry | OrganizationEntry | UnitEntry


def _entries(section: TrustSection) -> list[tuple[KeyPath, TrustEntry]]:
    lists: dict[str, list[_Item]] = {
        "accounts": [*(section.accounts or ())],
        "organizations": [*(section.organizations or ())],
        "organizational_units": [*(section.organizational_units or ())],
    }
    return [
        (("trust", name, number), _entry(item)) for name, items in lists.items() for number, item in enumerate(items)
    ]


def _entry(item: _Item) -> TrustEntry:
    if isinstance(item, TrustedAccount | TrustedOrganization | TrustedUnit):
        return TrustEntry(item)
    return TrustEntry(item.id, name=item.name, reason=item.reason, expires=item.expires)


def _exception(entry: ExceptionEntry) -> ImageException:
    return ImageException(
        images=entry.images.selector(),
        grantees=AnyGrantee() if isinstance(entry.grantees, str) else tuple(entry.grantees),
        reason=entry.reason,
        owner=entry.owner,
        expires=entry.expires,
    )
