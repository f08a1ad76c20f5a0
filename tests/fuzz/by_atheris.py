"""One target under atheris, which is led by the branches that an input reaches: `python -m tests.fuzz.by_atheris NAME`.

Further arguments are libFuzzer's (`-max_total_time=60`). Atheris is no dependency: `pip install atheris` where there is
a build of it.
"""

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

# First of all: it watches the branches of what is imported while it looks.
atheris: Any = importlib.import_module("atheris")
with atheris.instrument_imports(include=["amiguard", "ruamel.yaml"]):
    from tests.fuzz.registry import TARGETS
    from tests.fuzz.target import Target, accepts


def main() -> None:
    """Run until libFuzzer's time is over, or something is found: then it prints the input, and exits with 77."""
    target = TARGETS[sys.argv[1]]
    with tempfile.TemporaryDirectory(prefix="amiguard-corpus-") as corpus:
        for number, seed in enumerate(target.seeds):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        arguments = ["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={corpus}/"]
        atheris.Setup([sys.argv[0], *arguments, *sys.argv[2:], corpus], lambda data: _try_one(target, data))
        atheris.Fuzz()


def _try_one(target: Target, data: bytes) -> None:
    try:
        accepts(target, data)
    except BaseException as error:
        error.add_note(f"the input, for tests/fuzz/findings.py: ({target.name!r}, {data!r})")
        raise


if __name__ == "__main__":
    main()
