"""What `amiguard --version` says: its own version first, then what it runs on, for reports of mistakes."""

import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

# The extras that add something to the program. The others hold tools to develop it.
EXTRAS = ("demo", "import", "notify")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"""extra == ['"]([a-z0-9-]+)['"]""")


def version_lines() -> Iterator[str]:
    """`amiguard X.Y.Z`, then Python and each direct dependency with the version that is installed.

    Nothing of them is imported: their metadata tell.
    """
    yield f"amiguard {version('amiguard')}"
    yield f"Python {platform.python_version()} ({platform.system()} {platform.machine()})"
    for requirement in requires("amiguard") or ():
        name, extra = _NAME.match(requirement), _EXTRA.search(requirement)
        if name and (extra is None or extra[1] in EXTRAS):
            yield _dependency(name[0], extra[1] if extra else None)


def _dependency(name: str, extra: str | None) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} is not installed" + (f" (amiguard[{extra}] brings it)" if extra else "")
