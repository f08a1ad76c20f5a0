"""Credentials for the hot reads: botocore's own, renewed in the middle of a run without stopping it."""

import asyncio
import threading
from collections.abc import Callable

from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

from amiguard.aws.errors import RENEW
from amiguard.core.image import Unreadable

_LOOK_AGAIN_AFTER = 1.0
"""Seconds for which frozen credentials are used without asking botocore whether they are due for renewal."""
_TRY_AGAIN_AFTER = 10.0
"""Seconds after a renewal failed before it is tried again."""


class CredentialsUnreadableError(Exception):
    """Credentials cannot be had, for a reason that is known in words (a role that may not be assumed, say)."""

    def __init__(self, why: Unreadable) -> None:
        super().__init__(why.reason)
        self.why = why


class LentCredentials(Credentials):  # type: ignore[misc]  # botocore has no types
    """What a client signs with: what was lent to the thread that makes the call.

    So a client serves all accounts, and credentials that were renewed: to make a client takes a tenth of a second.
    """

    def __init__(self) -> None:
        super().__init__("", "")
        self._of_thread = threading.local()

    def lend(self, credentials: ReadOnlyCredentials) -> None:
        """What this thread calls next is signed with these."""
        self._of_thread.current = credentials

    def get_frozen_credentials(self) -> ReadOnlyCredentials | None:
        """The credentials of this thread's call."""
        return getattr(self._of_thread, "current", None)


class CredentialSource:
    """Gives frozen credentials, and renews them when they are about to expire, or when AWS says that they have.

    Args:
        load: finds credentials anew, by the standard chain or by a role (`roles`); it blocks, and runs in a thread. It
            raises botocore's errors, or `CredentialsUnreadableError` with the reason that is passed on.
    """

    def __init__(self, load: Callable[[], Credentials | None]) -> None:
        self._load = load
        self._credentials: Credentials | None = None
        self._current: ReadOnlyCredentials | Unreadable = Unreadable("no AWS credentials were found")
        self._good_until = float("-inf")
        self._lock = asyncio.Lock()

    async def current(self) -> ReadOnlyCredentials | Unreadable:
        """The credentials to sign with now."""
        if asyncio.get_running_loop().time() < self._good_until:
            return self._current
        async with self._lock:
            if asyncio.get_running_loop().time() >= self._good_until:
                await self._freeze(load_anew=self._credentials is None)
        return self._current

    async def renew(self, refused: ReadOnlyCredentials) -> bool:
        """AWS said that these have expired: find others.

        Returns:
            Whether there are others now, so that the call is worth another try.
        """
        async with self._lock:
            if self._current == refused:
                await self._freeze(load_anew=True)
            if self._current == refused:
                self._set(Unreadable("the credentials have expired", RENEW), _TRY_AGAIN_AFTER)
            return isinstance(self._current, ReadOnlyCredentials)

    async def _freeze(self, *, load_anew: bool) -> None:
        try:
            if load_anew:
                self._credentials = await asyncio.to_thread(self._load)
            if self._credentials is None:
                self._set(Unreadable("no AWS credentials were found"), _TRY_AGAIN_AFTER)
                return
            frozen = await asyncio.to_thread(self._credentials.get_frozen_credentials)
        except CredentialsUnreadableError as error:
            self._set(error.why, _TRY_AGAIN_AFTER)
        except (BotoCoreError, ClientError) as error:
            self._set(Unreadable(f"the credentials could not be renewed: {error}", RENEW), _TRY_AGAIN_AFTER)
        else:
            self._set(frozen, _LOOK_AGAIN_AFTER)

    def _set(self, value: ReadOnlyCredentials | Unreadable, seconds: float) -> None:
        self._current = value
        self._good_until = asyncio.get_running_loop().time() + seconds
