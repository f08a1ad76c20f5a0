"""Grantees that an audit found untrusted, and that somebody knows: candidates for the trust policy."""

import shlex
from collections.abc import Iterator

from amiguard.core.grantee import Account, Grantee, Organization, OrganizationalUnit, grantee_id, report_order
from amiguard.core.review_survey import GrantSurvey
from amiguard.core.review_types import Known, ReviewFinding, ReviewKind, ReviewSeverity, counted


def is_candidate(grantee: Grantee, known: Known) -> bool:
    """Whether a grantee belongs to the directory's organization, or to a known vendor."""
    return _belongs(grantee, known) or (isinstance(grantee, Account) and grantee.account_id in known.vendors)


def review_grantees(known: Known, survey: GrantSurvey) -> Iterator[ReviewFinding]:
    """A hint for each candidate that the survey has counted, by kind and id."""
    for grantee in sorted(survey.untrusted, key=report_order):
        images = f"{counted(survey.untrusted[grantee], 'image')} of the report may be launched by it, untrusted"
        if _belongs(grantee, known):
            organization = known.directory.organization_id if known.directory else ""
            kind, message = ReviewKind.UNTRUSTED_MEMBER, f"is or belongs to your organization {organization}: {images}"
        else:
            kind, message = ReviewKind.UNTRUSTED_VENDOR, f"is in the list of vendors: {images}"
        name = _name(grantee, known)
        words = f" --name {shlex.quote(name)}" if name and name.strip() and name.isprintable() else ""
        addition = f"amiguard trust add {shlex.quote(grantee_id(grantee))}{words}{known.options}"
        mend = f"if it is meant to launch them: {addition}; else take the grants back with `amiguard plan`"
        yield ReviewFinding(kind, ReviewSeverity.INFORMATION, grantee_id(grantee), name, None, message, mend)


def _belongs(grantee: Grantee, known: Known) -> bool:
    directory = known.directory
    if directory is None:
        return False
    match grantee:
        case Account(account_id):
            return account_id in directory.accounts
        case Organization(organization_id=organization_id) | OrganizationalUnit(organization_id=organization_id):
            return organization_id == directory.organization_id
        case _:
            return False


def _name(grantee: Grantee, known: Known) -> str | None:
    match grantee:
        case Account(account_id):
            member = known.directory.accounts.get(account_id) if known.directory else None
            return (member.name if member else None) or known.vendors.get(account_id)
        case OrganizationalUnit(unit_id=unit_id) if known.directory is not None:
            unit = known.directory.units.get(unit_id)
            return (unit.name if unit else None) or None
        case _:
            return None
