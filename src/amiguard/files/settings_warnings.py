"""What is legal in a settings file and yet worth a look."""

from collections.abc import Iterator, Sequence
from datetime import date

from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector
from amiguard.core.trust import TrustEntry
from amiguard.files.problems import Problem
from amiguard.files.settings_remediation import RemediationSection
from amiguard.files.settings_targets import TargetsSection, target_of
from amiguard.files.yaml_tree import KeyPath, Mapping, Mark, Node, Scalar, find
from amiguard.files.yaml_tree import Sequence as ListNode

_SOON_DAYS = 30

PlacedEntries = Sequence[tuple[KeyPath, TrustEntry]]
PlacedExceptions = Sequence[tuple[KeyPath, ImageException]]
_Warning = tuple[KeyPath, str]


def find_warnings(
    top: Node,
    entries: PlacedEntries,
    exceptions: PlacedExceptions,
    targets: TargetsSection,
    remediation: RemediationSection | None,
    *,
    today: date,
) -> list[Problem]:
    """Everything worth a look, in the order of the file.

    Args:
        top: the file.
        entries: the entries of the policy, each with where it stands.
        exceptions: the exceptions, likewise.
        targets: the section of that name.
        remediation: likewise.
        today: the day (UTC) by which dates are judged.
    """
    found = [
        *_dates(entries, today),
        *_dates(exceptions, today),
        *_same_entries(top, entries),
        *_same_exceptions(top, exceptions),
        *(warning for path, exception in exceptions for warning in _wide(path, exception)),
        *_same_accounts(top, targets),
        *_by_account_tags(targets),
        *_by_names_and_tags(remediation),
    ]
    problems = [Problem(find(top, path).mark, path, message) for path, message in found]
    problems += _repeated_values(top, ())
    return sorted(problems, key=lambda one: (one.mark.line, one.mark.column))


def _dates(placed: PlacedEntries | PlacedExceptions, today: date) -> Iterator[_Warning]:
    for path, one in placed:
        if one.expires is None:
            continue
        left = (one.expires - today).days
        where = (*path, "expires")
        if left < 0:
            yield where, f"lapsed after {one.expires} and decides nothing: set a later day, or delete it"
        elif left <= _SOON_DAYS:
            when = "today is its last day" if left == 0 else f"lapses in {left} {'day' if left == 1 else 'days'}"
            yield where, f"{when}: set a later day, or get ready to do without it"


def _same_entries(top: Node, entries: PlacedEntries) -> Iterator[_Warning]:
    first: dict[object, Mark] = {}
    for path, entry in entries:
        mark = find(top, path).mark
        if entry.trustee in first:
            yield path, f"{entry.trustee} stands already in line {first[entry.trustee].line}: keep one of them"
        else:
            first[entry.trustee] = mark


def _same_exceptions(top: Node, exceptions: PlacedExceptions) -> Iterator[_Warning]:
    first: dict[object, Mark] = {}
    for path, exception in exceptions:
        pair = (exception.images, exception.grantees)
        if pair in first:
            yield path, f"the same images and grantees as in line {first[pair].line}: keep one of them"
        else:
            first[pair] = find(top, path).mark


def _wide(path: KeyPath, exception: ImageException) -> Iterator[_Warning]:
    images = exception.images
    if isinstance(exception.grantees, AnyGrantee) and _takes_whole_accounts(images):
        yield (
            (*path, "grantees"),
            "accepts anyone, everyone included, for all images of whole accounts or regions: name images or grantees",
        )
    if images.ids:
        # Ids narrow the other keys: who tags or names images cannot add one.
        return
    if images.names:
        yield (*path, "images", "names"), "trusts whoever may name images: prefer ids, or guard who may create images"
    if images.tags:
        yield (*path, "images", "tags"), "trusts whoever may tag images: prefer ids, or guard who may tag"


def _takes_whole_accounts(images: ImageSelector) -> bool:
    by_name = images.names and not any(pattern.strip("*") == "" for pattern in images.names)
    return not (images.ids or images.tags or by_name)


def _same_accounts(top: Node, targets: TargetsSection) -> Iterator[_Warning]:
    first: dict[str, Node] = {}
    for place, one in enumerate(map(target_of, targets.accounts)):
        path: KeyPath = ("targets", "accounts", place)
        node = find(top, path)
        before = first.setdefault(one.account_id, node)
        # Two bare ids are values written twice, as in any list.
        if before is not node and (isinstance(node, Mapping) or isinstance(before, Mapping)):
            yield path, f"{one.account_id} stands already in line {before.mark.line}: keep one of them"


def _by_account_tags(targets: TargetsSection) -> Iterator[_Warning]:
    organization = targets.organization
    if organization is None:
        return
    for key, selector, what in (
        ("include", organization.include, "what is audited"),
        ("exclude", organization.exclude, "what is not audited"),
    ):
        if selector and selector.tags:
            yield (
                ("targets", "organization", key, "tags"),
                f"whoever may tag accounts decides {what}: prefer accounts or units, or guard who may tag",
            )


def _by_names_and_tags(remediation: RemediationSection | None) -> Iterator[_Warning]:
    protected = remediation and remediation.protected_images
    if not protected:
        return
    path: KeyPath = ("remediation", "protected_images")
    # Any key protects: ids beside them do not narrow these.
    if protected.names:
        yield (
            (*path, "names"),
            "whoever may name images decides which are never changed: prefer ids, or guard who may create images",
        )
    if protected.tags:
        yield (
            (*path, "tags"),
            "whoever may tag images decides which are never changed: prefer ids, or guard who may tag",
        )


def _repeated_values(node: Node, path: KeyPath) -> Iterator[Problem]:
    match node:
        case Mapping(entries=entries):
            for key, value in entries:
                if path or key.text != "trust":
                    yield from _repeated_values(value, (*path, str(key.text)))
        case ListNode(items=items):
            first: dict[str, int] = {}
            for place, item in enumerate(items):
                if not isinstance(item, Scalar):
                    yield from _repeated_values(item, (*path, place))
                elif item.text in first:
                    message = f"stands already in line {first[item.text]}: keep one of them"
                    yield Problem(item.mark, (*path, place), message)
                elif item.text is not None:
                    first[item.text] = item.mark.line
        case Scalar():
            pass
