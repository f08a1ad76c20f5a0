"""The environment variables that lead every AWS client to the demo, and to nothing else."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

HOME_REGION = "us-east-1"

CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_REGION": HOME_REGION,
    "AWS_DEFAULT_REGION": HOME_REGION,
    # A profile of the user may name an endpoint of its own or a role to assume: no file of theirs is read.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
}
"""The caller of the demo, without the endpoint: the port is known only once the server listens."""


def variables(endpoint_url: str) -> dict[str, str]:
    """Everything that a process needs to speak to the demo."""
    return {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint_url}


@contextmanager
def changed(put: Mapping[str, str], remove: Iterable[str] = ()) -> Iterator[None]:
    """Sets and removes variables of this process, and puts back what was there before."""
    before = {name: os.environ.get(name) for name in {*put, *remove}}
    try:
        for name in before:
            os.environ.pop(name, None)
        os.environ.update(put)
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def applied(put: Mapping[str, str]) -> Iterator[None]:
    """Makes `put` the whole AWS environment of this process for a while."""
    with changed(put, remove=foreign(os.environ)):
        yield


def foreign(environ: Mapping[str, str]) -> frozenset[str]:
    """The variables that could lead a client elsewhere: to a real endpoint, with real credentials, through a proxy."""
    return frozenset(name for name in environ if name.startswith("AWS_") or name.lower().endswith("_proxy"))
