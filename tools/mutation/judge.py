"""Run the tests of a mutant, in a process forked off one that has imported and collected everything already.

The forked process gives the function that is to change its new code in place, so nothing is imported anew, and a mutant
costs no more than its own tests. They run in the order of their times, up to the first that fails.
"""

import ast
import gc
import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import FunctionType

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tools.mutation.mutants import Mutant

# A mutant that never ends is ended: this many times what its tests need, and some seconds to start with.
_PATIENCE, _AT_LEAST_SECONDS = 5, 5
_MEMORY_BYTES = 2 << 30
_EXAMPLES = 30


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
    """Run every test once on the code as it is, and note what it runs.

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
    data = recorder.get_data()
    by_line = {
        Path(name).relative_to(Path.cwd()): {
            line: frozenset(tests) - {""} for line, tests in data.contexts_by_lineno(name).items()
        }
        for name in data.measured_files()
    }
    return Witnesses(by_line, {item.nodeid: item for item in items}, seconds)


def judge(mutants: Sequence[Mutant], witnesses: Witnesses, jobs: int) -> Iterator[tuple[Mutant, Fate]]:
    """Judge mutants in processes of their own, `jobs` at a time; in the order in which they end."""
    waiting = list(reversed(mutants))
    running: dict[int, Mutant] = {}
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
                _run_child(mutant, tests, witnesses)
            running[child] = mutant
        if running:
            child, status = os.wait()
            yield running.pop(child), _FATES.get(os.waitstatus_to_exitcode(status), Fate.ENDED)


_FATES = {0: Fate.SURVIVED, 1: Fate.KILLED}


def _run_child(mutant: Mutant, tests: Sequence[str], witnesses: Witnesses) -> None:
    seconds = int(_AT_LEAST_SECONDS + _PATIENCE * sum(witnesses.seconds[test] for test in tests))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    silent = os.open(os.devnull, os.O_WRONLY)
    code = 2
    try:
        _function(mutant).__code__ = mutant.code()
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        code = 0 if all(_passes(witnesses.items[test]) for test in tests) else 1
    finally:
        os._exit(code)


def _function(mutant: Mutant) -> FunctionType:
    """The function of this process that is to change."""
    for one in gc.get_objects():
        if isinstance(one, FunctionType):
            code = one.__code__
            if (code.co_qualname, code.co_firstlineno) == mutant.function and code.co_filename.endswith(
                mutant.path.as_posix()
            ):
                return one
    raise LookupError(mutant.name)


def _passes(item: pytest.Item) -> bool:
    if hasattr(item, "_initrequest"):
        item._initrequest()  # noqa: SLF001 - as pytest itself does for a second run of an item
    return all(not report.failed for report in runtestprotocol(item, nextitem=None, log=False))


def _fewer_examples(item: pytest.Item) -> None:
    """Property tests: few examples, always the same, and no search for the smallest that fails."""
    import hypothesis  # noqa: PLC0415 - not before pytest, which wants to rewrite its assertions

    test = getattr(item, "obj", None)
    own = getattr(test, "_hypothesis_internal_use_settings", None)
    if own is not None:
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
