"""PutAccountName, which moto lacks: its management accounts would all be called "master". Imports moto."""

from collections.abc import Iterator
from contextlib import contextmanager

from moto.account.responses import AccountResponse
from moto.account.urls import url_paths
from moto.core.responses import EmptyResult
from moto.organizations.models import organizations_backends

_PATH = "{0}/putAccountName$"
_METHOD = "put_account_name"


def _put_account_name(request: AccountResponse) -> EmptyResult:
    """Names the account of the caller."""
    organization = organizations_backends[request.current_account][request.partition]
    organization.get_account_by_id(request.current_account).name = request._get_param("AccountName")  # noqa: SLF001 - moto's own way
    return EmptyResult()


@contextmanager
def served_account_names() -> Iterator[None]:
    """Lets the servers that start meanwhile answer PutAccountName, for accounts that head an organization."""
    setattr(AccountResponse, _METHOD, _put_account_name)
    url_paths[_PATH] = AccountResponse.dispatch
    try:
        yield
    finally:
        delattr(AccountResponse, _METHOD)
        del url_paths[_PATH]
