"""The documentation says what the program says: help texts, checks, exit codes, paces, options and files."""

import re
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mkdocs.exceptions import PluginError

from amiguard.aws import pacing
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.main import app
from amiguard.core.checks.registry import CHECKS
from amiguard.files.settings import settings_of
from tools import cli_reference, site_hooks

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HELP = dict(cli_reference.help_texts())
GUIDES = (
    "ci-gate.md",
    "completeness.md",
    "costs.md",
    "exceptions.md",
    "exit-codes.md",
    "resume.md",
    "trust-decisions.md",
)


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", cli_reference.PAGES, ids=lambda path: path.name)
def test_what_is_published_is_what_the_program_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == cli_reference.PAGES[path](), "write it anew: make reference"


@pytest.mark.parametrize("words", HELP, ids=" ".join)
def test_help_is_the_reference(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        app([*words[1:], "--help"], prog_name="amiguard")
    assert ended.value.code == 0
    assert f"# {' '.join(words)}\n\n```text\n{capsys.readouterr().out.rstrip()}\n```\n" in text_of("cli.md")


def test_the_reference_has_every_command_and_check() -> None:
    assert len(HELP) > 10
    assert {check.check_id for check in CHECKS} == set(re.findall(r"^## (\S+)$", text_of("checks.md"), re.MULTILINE))


@pytest.mark.parametrize("page", ["docs/exit-codes.md", "README.md"])
def test_every_exit_code_is_described(page: str) -> None:
    described = re.findall(r"^ *\| (\d+) \| \w", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(code) for code in described] == [code.value for code in ExitCode]


@pytest.mark.parametrize(
    "bucket", [pacing.READS, pacing.MODIFICATIONS, pacing.OTHER_MODIFICATIONS], ids=["reads", "modifications", "others"]
)
def test_the_pace_is_that_of_the_program(bucket: pacing.BucketSize) -> None:
    assert f"| {bucket.burst:g}, then {bucket.refill:g} |" in text_of("costs.md")


@pytest.mark.parametrize("page", GUIDES)
def test_options_that_are_named_are_offered(page: str) -> None:
    offered = set(re.findall(r"--[a-z][a-z-]*", "\n".join(HELP.values())))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text_of(page))) <= offered


def test_examples_of_exceptions_are_valid() -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", text_of("exceptions.md"), re.DOTALL)
    assert len(settings_of(example, Path("amiguard.yaml"), today=date(2026, 8, 1)).exceptions) == 2


@pytest.mark.parametrize("page", ["architecture.md", "trust-decisions.md"])
def test_files_that_are_named_are_there(page: str) -> None:
    named = re.findall(r"`((?:core|aws|report|remediator|cli|files)/[\w/]*\.?\w*|\w+\.py)`", text_of(page))
    assert named
    assert [name for name in named if not (ROOT / "src" / "amiguard" / name).exists()] == []


@pytest.mark.parametrize("source", site_hooks.PUBLISHED)
def test_what_the_site_publishes_is_there(source: str) -> None:
    assert (ROOT / source).is_file()


def page(uri: str) -> Any:
    return SimpleNamespace(file=SimpleNamespace(src_uri=uri))


@pytest.mark.parametrize(
    ("uri", "link", "turned"),
    [
        ("schemas.md", "../src/amiguard/report/diff_v1.schema.json", "schemas/diff_v1.schema.json"),
        ("index.md", "../CONTRIBUTING.md", "contributing.md"),
        ("index.md", "settings.md", "settings.md"),
        ("index.md", "settings.md#keys", "settings.md#keys"),
        ("index.md", "#here", "#here"),
        ("index.md", "https://example.com/docs/a.md", "https://example.com/docs/a.md"),
        ("benchmarks.md", "RESULTS.md", "benchmark-results.md"),
        ("contributing.md", "docs/settings.md", "settings.md"),
    ],
)
def test_links_lead_to_where_the_site_has_the_file(uri: str, link: str, turned: str) -> None:
    nothing: Any = None
    assert site_hooks.on_page_markdown(f"[a]({link})", page(uri), nothing, nothing) == f"[a]({turned})"


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://cdn.example.com/a.js"></script>',
        '<link rel="stylesheet" href="//fonts.example.com/a.css">',
        '<img src="http://example.com/pixel.gif">',
    ],
)
def test_a_page_that_loads_from_elsewhere_is_refused(element: str) -> None:
    nothing: Any = None
    with pytest.raises(PluginError, match="loads from elsewhere"):
        site_hooks.on_post_page(f"<body>{element}</body>", page("index.md"), nothing)


def test_links_and_files_of_the_site_are_not_refused() -> None:
    nothing: Any = None
    html = '<link rel="canonical" href="https://a.example"><a href="https://b.example">b</a><img src="images/a.svg">'
    assert site_hooks.on_post_page(html, page("index.md"), nothing) == html
