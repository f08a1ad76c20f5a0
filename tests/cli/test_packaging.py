"""What is shipped: wheel and sdist, and the program from an installed wheel, all without a network."""

import json
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path, PurePosixPath

import pytest

from benchmarks.fake_ec2 import FakeEc2, FakeImage, everyone_grant, single_account
from tests.conftest import scrubbed_environment

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "111122223333"
SHARED = FakeImage("ami-0000000000000000a", name="shared", grants=(everyone_grant(),))


def call(home: Path, *command: str | Path, cwd: Path = ROOT, expected: int = 0) -> str:
    done = subprocess.run(
        command, env=scrubbed_environment(home), cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    call(folder, sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


def only(folder: Path, pattern: str) -> Path:
    [path] = folder.glob(pattern)
    return path


def test_wheel_and_sdist_have_what_a_package_index_and_the_program_need(distributions: Path) -> None:
    wheel, sdist = only(distributions, "*.whl"), only(distributions, "*.tar.gz")
    called = call(distributions, sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    assert called.count("PASSED") == 2

    data = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()}
    data = {name for name in data if not name.endswith((".py", ".pyc"))}
    assert {PurePosixPath(name).suffix for name in data} >= {".json", ".j2", ".css", ".js", ".typed"}
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
        assert data <= shipped
        assert {PurePosixPath(name).parts[0] for name in shipped} == {
            "amiguard",
            f"amiguard-{version('amiguard')}.dist-info",
        }
    with tarfile.open(sdist) as archive:
        names = {PurePosixPath(name).relative_to(f"amiguard-{version('amiguard')}") for name in archive.getnames()}
    wanted = ("LICENSE", "README.md", "constraints.txt", "Dockerfile", "action.yml", "contrib/systemd/amiguard.service")
    assert {PurePosixPath(name) for name in wanted} <= names


def test_the_wheel_runs_from_an_environment_of_its_own(distributions: Path, tmp_path: Path) -> None:
    program = installed(tmp_path, only(distributions, "*.whl"))
    assert call(tmp_path, program, "--version", cwd=tmp_path).startswith(f"amiguard {version('amiguard')}\n")
    assert call(tmp_path, program, "--help", cwd=tmp_path).startswith("Usage: amiguard [OPTIONS] COMMAND")
    assert json.loads(call(tmp_path, program, "trust", "schema", cwd=tmp_path))["title"]

    with FakeEc2(single_account(SHARED)) as fake:
        done = subprocess.run(
            [program, "audit", "--trust", "222233334444", "--format", "html=report.html", "--format", "json"],
            env=scrubbed_environment(tmp_path, fake.environment(ACCOUNT)),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["summary"]["fail"] == 1
    assert SHARED.id in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_pip_install_from_the_folder_asks_no_index(tmp_path: Path) -> None:
    target = tmp_path / "target"
    pip = (
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--no-compile",
    )
    call(tmp_path, *pip, "--target", target, ROOT, cwd=tmp_path)
    assert (target / "bin" / "amiguard").is_file()
    assert (target / "amiguard" / "py.typed").is_file()


def installed(home: Path, wheel: Path) -> Path:
    """The program in a new virtual environment that has the wheel, and finds the dependencies in that of the tests."""
    venv = home / "venv"
    call(home, sys.executable, "-m", "venv", "--without-pip", venv)
    [site_packages] = venv.glob("lib/python*/site-packages")
    # A path in a .pth file adds the folder only: not the .pth files there, one of which leads to the source tree.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", venv / "bin" / "python")
    call(home, *pip, "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed", "--no-compile", wheel)
    where = call(home, venv / "bin" / "python", "-c", "import amiguard; print(amiguard.__file__)", cwd=home)
    assert Path(where.strip()).is_relative_to(venv)
    return venv / "bin" / "amiguard"
