"""Plays one run of the program in this process: the real command line, a real server, virtual time."""

import contextlib
import io
import os
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import botocore.loaders
import pytest
import typer.main
from botocore.config import Config

from amiguard.aws import session
from amiguard.cli.main import _run, app
from benchmarks.fake_ec2 import Call, Effect, Estate, FakeEc2, Fault, Hang, Stall
from benchmarks.fake_ec2.replies import Reply
from benchmarks.fake_ec2.service import Answer
from benchmarks.fake_ec2.wire import HttpRequest
from tests.conftest import scrubbed_environment
from tests.faults.clock import NUMBER, UnderWay, virtual_time

_PATIENCE = 0.3
"""Seconds that botocore waits for a reply that never comes; it waits in real time."""
LOADER: Final = botocore.loaders.create_loader()
COMMAND: Final = typer.main.get_command(app)
AUTHORITIES: Final = ssl.create_default_context()


@dataclass(frozen=True)
class Served:
    """A call as the server answered it."""

    call: Call
    effect: Effect
    reply: Reply


@dataclass(frozen=True)
class Played:
    """A run, and what the server knows of it."""

    code: int
    out: str
    err: str
    served: Sequence[Served]
    fake: FakeEc2
    home: Path


@dataclass
class Stage:
    """A folder, and what is done to the program before it runs.

    Attributes:
        endpoints: further variables, by the URL of the server.
    """

    home: Path
    patch: pytest.MonkeyPatch
    endpoints: Callable[[str], Mapping[str, str]] = lambda url: {}


def play(stage: Stage, estate: Estate, arguments: Sequence[str], faults: Sequence[Fault], account_id: str) -> Played:
    """Run the program against an estate, with faults."""
    served: list[Served] = []
    with FakeEc2(estate, faults=faults) as fake, virtual_time(stage.patch) as under_way:
        _watch(fake, served, under_way)
        _shorten(stage.patch, hangs=any(isinstance(one.effect, Hang | Stall) for one in faults))
        environment = scrubbed_environment(
            stage.home, {**fake.environment(account_id), **stage.endpoints(fake.endpoint_url)}
        )
        with _surroundings(environment, stage.home), captured() as (out, err):
            stage.patch.setattr(sys, "argv", ["amiguard", *arguments])
            code = _run()
        return Played(code, out.getvalue(), err.getvalue(), served, fake, stage.home)


def _watch(fake: FakeEc2, served: list[Served], under_way: UnderWay) -> None:
    service = fake._service
    whole_answer = service.answer

    def answer(request: HttpRequest) -> Answer:
        given = whole_answer(request)
        if given.call is not None:
            served.append(Served(given.call, given.effect, given.reply))
        if isinstance(given.effect, Hang | Stall) and NUMBER in request.headers:
            under_way.unanswered.add(int(request.headers[NUMBER]))
        return given

    service.answer = answer  # type: ignore[method-assign]


def _shorten(patch: pytest.MonkeyPatch, *, hangs: bool) -> None:
    patch.setattr("amiguard.cli.audit_work.PAGE", 2)
    patch.setattr("amiguard.cli.audit_work._SMALLER_PAGE", 2)
    # What costs much and is always the same is made once: the command line, botocore's data, the authorities.
    patch.setattr("amiguard.cli.main.app", COMMAND)
    patch.setattr("botocore.session.create_loader", lambda *arguments: LOADER)
    patch.setattr("ssl.create_default_context", lambda cafile: AUTHORITIES)
    if hangs:
        for name in ("_CONFIG", "_ONCE", "_BRIEF"):
            patch.setattr(session, name, getattr(session, name).merge(Config(read_timeout=_PATIENCE)))


@contextlib.contextmanager
def _surroundings(environment: Mapping[str, str], folder: Path) -> Iterator[None]:
    before, at = dict(os.environ), Path.cwd()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(at)
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def captured() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        yield out, err
