"""Run the tests of a mutant, in a process forked off one that has imported and collected everything already.

The forked process gives the function that is to change its new code in place, so nothing is imported anew, and a mutant
costs no more than its own tests. They run in the order of their times, up to the first that fails.
"""

import gc
import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Never

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tools.mutation.mutants import Mutant

# A mutant that never ends is ended: this many times what its tests need, and some seconds to start with.
_PATIENCE, _AT_LEAST_SECONDS = 5, 5
_MEMORY_BYTES = 2 << 30
_EXAMPLES = 30
# Slower tests judge no mutant: hundreds of survivors would run each of them.
_SLOW_SECONDS = 0.7
# How a forked process tells its end.
_SURVIVED, _KILLED, _NOT_JUDGED = 0, 1, 2

_Place = tuple[Path, tuple[str, int]]


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    ENDED = "ended"  # it did not end by itself, or died: as good as killed
    SURVIVED = "survived"
    UNTESTED = "untested"  # no test runs these lines


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Which tests run which lines, and how long they take (CPU seconds)."""

    by_line: Mapping[Path, Mapping[int, frozenset[str]]]
    items: Mapping[str, pytest.Item]
    seconds: Mapping[str, float]

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that run a line of the mutant, quickest first."""
        lines = self.by_line.get(mutant.path, {})
        first, last = mutant.lines
        found = {test for line in range(first, last + 1) for test in lines.get(line, ())}
        return sorted(found, key=lambda test: (self.seconds[test], test))


def watch(items: Sequence[pytest.Item], source: Path) -> Witnesses:
    """Run every test once on the code as it is, and note what it runs; slow ones are left out.

    Raises:
        RuntimeError: a test fails before anything was changed.
    """
    recorder = coverage.Coverage(data_file=None, config_file=False, include=[f"{source.resolve()}/**"])
    seconds: dict[str, float] = {}
    recorder.start()
    for item in items:
        _fewer_examples(item)
        recorder.switch_context(item.nodeid)
        start = time.process_time()
        if not _passes(item):
            raise RuntimeError(f"{item.nodeid} fails on the code as it is")
        seconds[item.nodeid] = time.process_time() - start
    recorder.stop()
    seconds = {test: taken for test, taken in seconds.items() if taken <= _SLOW_SECONDS}
    data = recorder.get_data()
    by_line = {
        Path(name).relative_to(Path.cwd()): {
            line: frozenset(tests) & seconds.keys() for line, tests in data.contexts_by_lineno(name).items()
        }
        for name in data.measured_files()
    }
    return Witnesses(by_line, {item.nodeid: item for item in items}, seconds)


def check(witnesses: Witnesses) -> None:
    """Run all tests on the code as it is once more, in a forked process: else what fails there kills no mutant.

    Raises:
        RuntimeError: a test fails there.
    """
    child = os.fork()
    if child == 0:
        _run_child(lambda: None, sorted(witnesses.seconds), witnesses)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != _SURVIVED:
        raise RuntimeError("a test fails in a forked process though nothing was changed")


def judge(mutants: Sequence[Mutant], witnesses: Witnesses, jobs: int) -> Iterator[tuple[Mutant, Fate]]:
    """Judge mutants in processes of their own, `jobs` at a time; in the order in which they end."""
    functions = _functions(mutants)
    waiting = list(reversed(mutants))
    running: dict[int, Mutant] = {}
    gc.collect()
    gc.freeze()  # a collection in a forked process would copy everything
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            tests = witnesses.of(mutant)
            if not tests:
                yield mutant, Fate.UNTESTED
                continue
            child = os.fork()
            if child == 0:
                _run_child(partial(_change, mutant, functions), tests, witnesses)
            running[child] = mutant
        if running:
            child, status = os.wait()
            mutant = running.pop(child)
            yield mutant, _fate(mutant, os.waitstatus_to_exitcode(status))


def _fate(mutant: Mutant, code: int) -> Fate:
    match code:
        case _ if code < 0:
            return Fate.ENDED
        case _ if code == _SURVIVED:
            return Fate.SURVIVED
        case _ if code == _KILLED:
            return Fate.KILLED
        case _:
            raise RuntimeError(f"cannot be judged: {mutant.name}")


def _change(mutant: Mutant, functions: Mapping[_Place, FunctionType]) -> None:
    functions[mutant.path, mutant.function].__code__ = mutant.code()


def _run_child(change: Callable[[], None], tests: Sequence[str], witnesses: Witnesses) -> Never:
    seconds = int(_AT_LEAST_SECONDS + _PATIENCE * sum(witnesses.seconds[test] for test in tests))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    silent = os.open(os.devnull, os.O_WRONLY)
    code = _NOT_JUDGED
    try:
        change()
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        code = _SURVIVED if all(_passes(witnesses.items[test]) for test in tests) else _KILLED
    finally:
        os._exit(code)


def _functions(mutants: Sequence[Mutant]) -> dict[_Place, FunctionType]:
    """The functions of this process that are to change, by the module and the name and first line of their code."""
    asked = {(mutant.path, mutant.function) for mutant in mutants}
    paths = {str(path.resolve()): path for path, _ in asked}
    found = {}
    gc.unfreeze()  # what the tests freeze is not listed
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename in paths:
            path, code = paths[one.__code__.co_filename], one.__code__
            found[path, (code.co_qualname, code.co_firstlineno)] = one
    return found


def _passes(item: pytest.Item) -> bool:
    if hasattr(item, "_initrequest"):
        item._initrequest()  # noqa: SLF001 - as pytest itself does for a second run of an item
    return all(not report.failed for report in runtestprotocol(item, nextitem=None, log=False))


def _fewer_examples(item: pytest.Item) -> None:
    """Property tests: few examples, always the same, and no search for the smallest that fails."""
    import hypothesis  # noqa: PLC0415 - not before pytest, which wants to rewrite its assertions

    test = getattr(item, "obj", None)
    own = getattr(test, "_hypothesis_internal_use_settings", None)
    if test is not None and own is not None:
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        few = hypothesis.settings(
            own,
            max_examples=min(own.max_examples, _EXAMPLES),
            derandomize=True,
            database=None,
            deadline=None,
            phases=phases,
        )
        test._hypothesis_internal_use_settings = few  # noqa: SLF001 - the decorator has no other place for it
