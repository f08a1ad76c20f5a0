"""How moto learns what it lacks: methods of its response classes, and state at its own backends. Imports moto."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from moto.core.base_backend import BaseBackend

_State = TypeVar("_State")


@contextmanager
def served(response: type, methods: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    """Lets a response class of moto have other methods meanwhile.

    Args:
        response: the class that answers a service.
        methods: by moto's names for the calls, such as `create_image_usage_report`.
    """
    before = {name: vars(response)[name] for name in methods if name in vars(response)}
    for name, method in methods.items():
        setattr(response, name, method)
    try:
        yield
    finally:
        for name in methods:
            if name in before:
                setattr(response, name, before[name])
            else:
                delattr(response, name)


def state_at(backend: BaseBackend, kind: type[_State]) -> _State:
    """What is kept of one kind at moto's own backend of an account and region, so that a reset of moto resets it too.

    Args:
        backend: moto's backend.
        kind: a class that can be made without arguments; that is the state at first.
    """
    kept: _State = vars(backend).setdefault(f"amiguard_{kind.__name__}", kind())  # one step: requests run in threads
    return kept
