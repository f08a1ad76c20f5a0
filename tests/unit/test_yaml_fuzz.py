"""Whatever a file holds, loading it ends in settings or in a SettingsError."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amiguard.core.errors import SettingsError
from amiguard.files.settings import load_settings, settings_of

TODAY = date(2026, 8, 1)

# Pieces that YAML, or the settings file, gives a meaning to: random text alone hardly ever gets past the scanner.
PIECES = st.sampled_from(
    [
        *"\n\n\t :-,[]{}&*!|>'\"%@#?~\\\r\u0085\u2028\ufeff\x00",
        "  ",
        "\n  ",
        ": ",
        "- ",
        "? ",
        "<<",
        "---\n",
        "...\n",
        "|\n",
        ">+2\n",
        "version: 1\n",
        "trust:\n",
        "  accounts:\n",
        "    - ",
        "organizations: [own]",
        "exceptions:\n",
        "images: ",
        "{ids: []}",
        "nobody",
        "123456789012",
        "null",
        "!!set ",
        "!!python/object:x ",
        "&a ",
        "*a",
        "'x'",
        '"\\U',
        "%YAML 1.1\n",
        "2027-01-31",
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=25).map("".join), st.text(max_size=60))


@settings(deadline=None)
@given(TEXTS)
@example("%YAML 1.1.1\n---\na")
@example("!<tag> a")
@example("a: !!float x\n!!int y: b")
@example("\ud800")
@example('"\\U0011FFFF"')
@example("!\n%YAML 9.9\n")
@example("%YAML 1.123\n---\na")
def test_any_text(text: str) -> None:
    try:
        settings_of(text, Path("f.yaml"), today=TODAY)
    except SettingsError as error:
        assert error.message.startswith("f.yaml cannot be used: ")  # noqa: PT017 - either end is right


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=60), TEXTS.map(lambda text: text.encode("utf-16", "surrogatepass"))))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "f.yaml"
    path.write_bytes(data)
    try:
        load_settings(path, today=TODAY)
    except SettingsError as error:
        assert error.message.startswith(str(path))  # noqa: PT017 - either end is right
