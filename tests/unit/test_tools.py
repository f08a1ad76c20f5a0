"""The scripts of the house: the list of licences, and the audit of dependencies with a pip-audit of our own."""

import stat
import sys
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from tools import licences
from tools.audit_dependencies import UnusableError, judge

PINS = ["aiohttp==1", "urllib3==2", "yarl==3"]


def test_the_list_of_licences_is_up_to_date() -> None:
    assert licences.LIST.read_text(encoding="utf-8") == licences.as_markdown(licences.packages()), "run: make licences"


def test_every_dependency_names_a_licence_that_lets_amiguard_be_shared() -> None:
    listed = {package.name: package for package in licences.packages()}
    assert not [name for name, package in listed.items() if package.licence == licences.NOT_NAMED]
    # The Lesser GPL and the MPL ask nothing of programs that only use a library; the GPL and its kin would.
    strict = [package for package in listed.values() if "GPL" in package.licence or "General Public" in package.licence]
    assert strict == []
    assert listed["lxml"].comes_with == ()
    assert listed["moto"].comes_with == ("demo",)
    assert "pytest" not in listed


def test_a_licence_is_the_expression_else_the_classifiers_else_a_short_text(tmp_path: Path) -> None:
    assert said(tmp_path, "License-Expression: MIT", "Classifier: License :: OSI Approved :: BSD License") == "MIT"
    assert said(tmp_path, "Classifier: License :: OSI Approved :: BSD License", "License: x") == "BSD License"
    assert said(tmp_path, "Classifier: License :: OSI Approved", "License: ISC") == "ISC"
    assert said(tmp_path, f"License: {'Permission is hereby granted ' * 9}") == licences.NOT_NAMED
    assert said(tmp_path) == licences.NOT_NAMED


def said(folder: Path, *lines: str) -> str:
    info = folder / "some-1.dist-info"
    info.mkdir(exist_ok=True)
    text = "\n".join(("Metadata-Version: 2.4", "Name: some", "Version: 1", *lines)) + "\n"
    (info / "METADATA").write_text(text, encoding="utf-8")
    return licences.licence_of(Distribution.at(info))


def stub(folder: Path, body: str) -> str:
    """A pip-audit that has the requirements in `pins`, and counts its runs."""
    program = folder / "pip-audit"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib, sys\n"
        "pins = pathlib.Path(sys.argv[sys.argv.index('--requirement') + 1]).read_text().split()\n"
        f"with open({str(folder / 'runs')!r}, 'a') as runs: print(*pins, file=runs)\n"
        "def tell(**known):\n"
        "    names = [pin.split('==') for pin in pins]\n"
        "    said = [{'name': n, **known.get(n, {'version': v, 'vulns': []})} for n, v in names]\n"
        "    print(json.dumps({'dependencies': said}))\n"
        f"{body}\n",
        encoding="utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def runs(folder: Path) -> list[str]:
    return (folder / "runs").read_text(encoding="utf-8").splitlines()


def test_nothing_known_ends_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(stub(tmp_path, "tell()"), PINS, []) == 0
    assert capsys.readouterr().out == "audit-dependencies: 3 packages, 0 known vulnerabilities\n"
    assert runs(tmp_path) == ["urllib3==2", "aiohttp==1 urllib3==2 yarl==3"]


def test_a_vulnerability_ends_1_and_what_is_not_known_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {
        "version": "1",
        "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1", "2.0"]}, {"id": "X-2", "fix_versions": []}],
    }
    body = f"tell(aiohttp={found!r}, yarl={{'skip_reason': 'not found'}}); sys.exit('aiohttp==1' in pins)"
    assert judge(stub(tmp_path, body), PINS, []) == 1
    assert capsys.readouterr().out.splitlines() == [
        "audit-dependencies: nothing is known, good or bad, of yarl",
        "audit-dependencies: aiohttp 1: PYSEC-1; mended in 1.1, 2.0",
        "audit-dependencies: aiohttp 1: X-2; mended in no version yet",
        "audit-dependencies: 3 packages, 2 known vulnerabilities",
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("sys.exit('ConnectionError: no route')", "pip-audit ended with 1: ConnectionError: no route"),
        ("pass", "pip-audit ended with 0: it said nothing"),
        ("print('{}')", "pip-audit ended with 0: it said nothing"),
        ("tell(urllib3={'skip_reason': 'not found'})", "it does not know urllib3"),
    ],
)
def test_no_answer_is_a_message_and_one_question_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str, reason: str
) -> None:
    assert judge(stub(tmp_path, body), PINS, []) == 0
    expected = f"audit-dependencies: skipped, the database of vulnerabilities does not answer: {reason}\n"
    assert capsys.readouterr().out == expected
    assert runs(tmp_path) == ["urllib3==2"]


def test_an_answer_that_stops_half_way_is_no_clean_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(stub(tmp_path, "tell() if len(pins) == 1 else sys.exit('gone')"), PINS, []) == 0
    assert "skipped" in capsys.readouterr().out


def test_a_pip_audit_that_cannot_be_run_like_this_is_no_excuse(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="No such file"):
        judge(str(tmp_path / "nothing"), PINS, [])
    with pytest.raises(UnusableError, match="unrecognized arguments: --x"):
        judge(stub(tmp_path, "print('unrecognized arguments: --x', file=sys.stderr); sys.exit(2)"), PINS, ["--x"])
