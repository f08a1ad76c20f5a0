"""Values that came from JSON, checked against the `TypedDict`s that describe them."""

from collections.abc import Callable, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

Read = Callable[[object], Any]
_CALLED = {bool: "true or false", int: "a whole number", str: "a text"}


class MistakeError(Exception):
    """Where a value is not as it was described, and how: `.image.name is not a text`."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(f"{place} {what}")
        self._place = place
        self._what = what

    def within(self, outer: str) -> "MistakeError":
        """The same mistake, seen from further out."""
        return MistakeError(outer + self._place, self._what)


def reader_of(kind: Any) -> Read:
    """What checks values of a kind.

    Args:
        kind: a `TypedDict`, `list`, `dict` with texts as keys, `Literal` of texts, `bool`, `int`, `str`, or a union
            of these and None. What a union of `TypedDict`s is, its key `status` tells.

    Returns:
        A function that gives back what it is given, without the keys that a `TypedDict` does not name, and raises
        `MistakeError`.
    """
    arguments = get_args(kind)
    if is_typeddict(kind):
        return _typed_dict(kind)
    match get_origin(kind):
        case None:
            return _plain(kind)
        case origin if origin is Literal:
            return _word(frozenset(arguments))
        case origin if origin is list:
            return _list(reader_of(arguments[0]))
        case origin if origin is dict:
            return _dict(reader_of(arguments[1]))
        case origin if origin in (Union, UnionType):
            if all(map(is_typeddict, arguments)):
                return _told_apart(arguments)
            readers = [reader_of(one) for one in arguments if one is not NoneType]
            return _any_of(readers, null=NoneType in arguments)
        case _:
            raise TypeError(f"no values of the kind {kind} are read")


def _typed_dict(kind: Any) -> Read:
    fields = {key: reader_of(of) for key, of in get_type_hints(kind).items()}
    required = [key for key in fields if key in kind.__required_keys__]

    def read(value: object) -> Any:
        if not isinstance(value, dict):
            raise MistakeError("", "is not an object")
        for key in required:
            if key not in value:
                raise MistakeError(f".{key}", "is missing")
        # In the order of the value, so that what is written again is the same.
        known = {}
        for key, one in value.items():
            if (read_field := fields.get(key)) is not None:
                try:
                    known[key] = read_field(one)
                except MistakeError as error:
                    raise error.within(f".{key}") from None
        return known

    return read


def _told_apart(kinds: Sequence[Any]) -> Read:
    readers = {word: _typed_dict(kind) for kind in kinds for word in get_args(get_type_hints(kind)["status"])}
    read_word = _word(frozenset(readers))

    def read(value: object) -> Any:
        if not isinstance(value, dict):
            raise MistakeError("", "is not an object")
        if "status" not in value:
            raise MistakeError(".status", "is missing")
        try:
            word = read_word(value["status"])
        except MistakeError as error:
            raise error.within(".status") from None
        return readers[word](value)

    return read


def _any_of(readers: Sequence[Read], *, null: bool) -> Read:
    def read(value: object) -> Any:
        if null and value is None:
            return None
        mistake: MistakeError | None = None
        for one in readers:
            try:
                return one(value)
            except MistakeError as error:
                mistake = error
        raise mistake or MistakeError("", "is not null")

    return read


def _plain(kind: type) -> Read:
    called = _CALLED[kind]

    def read(value: object) -> Any:
        # True is an int to Python, and none to JSON.
        if type(value) is not kind:
            raise MistakeError("", f"is not {called}")
        return value

    return read


def _word(words: frozenset[str]) -> Read:
    def read(value: object) -> Any:
        if not isinstance(value, str) or value not in words:
            raise MistakeError("", f"is not one of {', '.join(sorted(words))}")
        return value

    return read


def _list(read_one: Read) -> Read:
    def read(value: object) -> Any:
        if not isinstance(value, list):
            raise MistakeError("", "is not an array")
        known = []
        for number, one in enumerate(value):
            try:
                known.append(read_one(one))
            except MistakeError as error:
                raise error.within(f"[{number}]") from None
        return known

    return read


def _dict(read_one: Read) -> Read:
    def read(value: object) -> Any:
        if not isinstance(value, dict):
            raise MistakeError("", "is not an object")
        known = {}
        for key, one in value.items():
            try:
                known[key] = read_one(one)
            except MistakeError as error:
                raise error.within(f"[{key!r}]") from None
        return known

    return read
