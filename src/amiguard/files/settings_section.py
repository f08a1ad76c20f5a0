"""What the sections of the settings file have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section: no key but its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# Which side of a union is meant shows by what is written. pydantic puts these names into the places of its errors.
ID, ENTRY, WORD, SECTION = "<id>", "<entry>", "<word>", "<section>"
UNION_TAGS = frozenset({ID, ENTRY, WORD, SECTION})


def id_or_entry(value: object) -> str:
    """Which side of a union of an id and an entry is meant."""
    return ENTRY if isinstance(value, dict) else ID


def word_or_section(value: object) -> str:
    """Which side of a union of a word and a section or list is meant."""
    return WORD if isinstance(value, str) else SECTION
