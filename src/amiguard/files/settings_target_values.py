"""How the values of the section `targets` are read: as in `settings_values`, by the patterns of AWS's own references.

Account and unit ids are read as strictly as in the trust policy; the messages say what belongs here instead.
"""

import re
import unicodedata
from collections.abc import Iterable

from amiguard.core.trust import TrustedUnit, parse_trustee
from amiguard.files.settings_values import MistakesWithin, found, read_account_id, text_of

# IAM API reference: Role, CreateRole; STS API reference: AssumeRole, Tag. `\w` would take letters of any alphabet.
_WORD = "[A-Za-z0-9_+=,.@-]"
ROLE_NAME = f"(?:[!-.0-~][!-~]{{0,509}}/)?{_WORD}{{1,64}}"
ROLE_ARN = f"arn:aws[a-z-]*:iam::[0-9]{{12}}:role/{ROLE_NAME}"
SESSION_NAME = f"{_WORD}{{2,64}}"
EXTERNAL_ID = "[A-Za-z0-9_+=,.@:/-]{2,1224}"
DURATION = "[0-9]{1,6}[smh]?"
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 50, 128, 256

_ROLE_ARN = re.compile(rf"arn:aws[a-z-]*:iam::([0-9]{{12}}):role/({ROLE_NAME})")
_SESSION_ARN = re.compile(r"(arn:aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/]+)/.+")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
SHORTEST, LONGEST = 900, 12 * 3600
_TAG_SIGNS = "_.:/=+-@"


def read_keys(value: object) -> object:
    """A section that has to hold something where its key is written: nothing would pass for a key left out."""
    if value is None:
        raise ValueError("expected keys, found nothing: write them, or delete the key")
    return value


def read_target_account(value: object) -> str:
    """The id of an account to audit."""
    expected = "expected a 12-digit account id"
    text = text_of(value, "a 12-digit account id")
    if text.startswith("arn:"):
        raise ValueError(f"{expected}, this is an ARN: write the id, and a role's ARN under role_arn")
    if not re.fullmatch(r"[0-9\s_-]*[0-9][0-9\s_-]*", text):
        raise ValueError(expected)
    return read_account_id(text)


def read_target_unit(value: object) -> TrustedUnit:
    """A unit of the organization to audit."""
    expected = "a unit (ou-..., o-.../ou-..., or its ARN)"
    text = text_of(value, expected)
    try:
        unit = parse_trustee(text)
    except ValueError as error:
        # What a trust policy says of other ids would mislead here.
        raise ValueError(str(error) if text.startswith("ou-") else f"expected {expected}") from error
    if not isinstance(unit, TrustedUnit):
        raise ValueError(f"expected {expected}")  # noqa: TRY004 - pydantic collects ValueErrors
    return unit


def read_role_name(value: object) -> str:
    """The name of a role, after its path if it has one."""
    text = text_of(value, "the name of a role")
    if arn := _ROLE_ARN.fullmatch(text):
        raise ValueError(f"expected the name of a role, this is an ARN: write {arn[2]}")
    if re.fullmatch(f"/+{ROLE_NAME}", text):
        raise ValueError(f"write the role without a slash before it: {text.lstrip('/')}")
    if not re.fullmatch(ROLE_NAME, text):
        raise ValueError("the name of a role reads <1 to 64 of A-Za-z0-9_+=,.@->, after its path if it has one")
    return text


def read_role_arn(value: object) -> str:
    """The ARN of a role."""
    text = text_of(value, "the ARN of a role")
    if session := _SESSION_ARN.fullmatch(text):
        role = f"{session[1]}:iam::{session[2]}:role/{session[3]}"
        raise ValueError(f"this is a session, not its role: write {role}, with the role's path if it has one")
    if not _ROLE_ARN.fullmatch(text):
        raise ValueError("the ARN of a role reads arn:aws:iam::<12 digits>:role/<name>")
    return text


def account_of_role(role_arn: str) -> str:
    """The account that a role belongs to."""
    return role_arn.split(":")[4]


def read_external_id(value: object) -> str:
    """An external id."""
    return _matching(value, EXTERNAL_ID, "an external id", "2 to 1224 of A-Za-z0-9_+=,.@:/-")


def read_session_name(value: object) -> str:
    """The name of a role's session."""
    return _matching(value, SESSION_NAME, "the name of a session", "2 to 64 of A-Za-z0-9_+=,.@-")


def read_source_identity(value: object) -> str:
    """A source identity."""
    return _matching(value, SESSION_NAME, "a source identity", "2 to 64 of A-Za-z0-9_+=,.@-")


def read_duration(value: object) -> int:
    """How long a session lasts, in seconds."""
    text = text_of(value, "a duration, such as 1h")
    if not re.fullmatch(DURATION, text):
        raise ValueError("expected a duration: seconds (3600), or a number with s, m or h (90m)")
    unit = text.lstrip("0123456789")
    seconds = int(text.removesuffix(unit)) * _SECONDS[unit]
    if not SHORTEST <= seconds <= LONGEST:
        raise ValueError("AWS takes 15m to 12h")
    return seconds


def read_session_tags(value: object) -> tuple[tuple[str, str], ...]:
    """The tags of a role's session.

    Raises:
        MistakesWithin: some keys or values are not what STS takes.
    """
    if not isinstance(value, dict):
        raise ValueError(f"expected keys, found {found(value)}")  # noqa: TRY004 - pydantic collects ValueErrors
    if not value:
        raise ValueError("is empty: write at least one tag, or delete the key")
    if len(value) > MAX_TAGS:
        raise ValueError(f"AWS takes {MAX_TAGS} tags at most, these are {len(value)}")
    mistakes: list[tuple[str, str]] = []
    seen: dict[str, str] = {}
    for key, text in value.items():
        mistakes += [(key, mistake) for mistake in (*_wrong_in_key(key), *_wrong_in_value(text))]
        if key.casefold() in seen:
            mistakes.append((key, f"AWS takes this for the same key as {seen[key.casefold()]}: keep one of them"))
        seen.setdefault(key.casefold(), key)
    if mistakes:
        raise MistakesWithin([((key,), mistake) for key, mistake in mistakes])
    return tuple(value.items())


def _wrong_in_key(key: str) -> Iterable[str]:
    if not 1 <= len(key) <= MAX_TAG_KEY:
        yield f"the key of a tag has 1 to {MAX_TAG_KEY} characters, this has {len(key)}"
    elif key.lower().startswith("aws:"):
        yield "keys that begin with aws: are AWS's own"
    elif not _is_tag_text(key):
        yield f"the key of a tag has letters, digits, spaces and {_TAG_SIGNS}"


def _wrong_in_value(value: object) -> Iterable[str]:
    if not isinstance(value, str):
        yield f'expected text, found {found(value)}: an empty value is written ""'
    elif len(value) > MAX_TAG_VALUE:
        yield f"the value of a tag has {MAX_TAG_VALUE} characters at most, this has {len(value)}"
    elif value.lower().startswith("aws:"):
        yield "values that begin with aws: are AWS's own"
    elif not _is_tag_text(value):
        yield f"the value of a tag has letters, digits, spaces and {_TAG_SIGNS}"


def _is_tag_text(text: str) -> bool:
    # [\p{L}\p{Z}\p{N}_.:/=+\-@]*
    return all(character in _TAG_SIGNS or unicodedata.category(character)[0] in "LZN" for character in text)


def _matching(value: object, pattern: str, what: str, form: str) -> str:
    text = text_of(value, what)
    if not re.fullmatch(pattern, text):
        raise ValueError(f"{what} reads <{form}>")
    return text
