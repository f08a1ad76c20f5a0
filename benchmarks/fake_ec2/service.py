"""From an HTTP request to a reply: who calls, is it signed, throttled, struck by a fault, and what is the answer."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .actions import ACTIONS
from .buckets import Buckets, Throttle
from .calls import Call, read_call
from .context import Context
from .credentials import Credentials, credentials_of_key
from .effects import Effect
from .estate import Estate
from .faults import NO_EFFECT, Fault, FaultBook
from .replies import JSON_SERVICES, AwsProblem, Reply, failure, success
from .sigv4 import Authorization, check_token, parse_authorization, verify
from .stats import REMEMBERED, Stats
from .store import Store
from .wire import HttpRequest

UNAVAILABLE_STATES: Final = frozenset(
    {"pending", "disabled", "failed", "invalid", "deregistered", "transient", "error"}
)
"""The states in which EC2 answers questions about an attribute with InvalidAMIID.Unavailable."""

_SIGNATURE_CODES: Final = frozenset({"SignatureDoesNotMatch", "InvalidClientTokenId"})
_NOT_AUTHENTICATED: Final = "AWS was not able to validate the provided access credentials"
_credentials = lru_cache(maxsize=4096)(credentials_of_key)


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, how it is to be delivered, and the call that it answers (`None` if no call was understood)."""

    reply: Reply
    effect: Effect
    call: Call | None


class Service:
    """Answers requests, without any input or output of its own."""

    def __init__(
        self,
        estate: Estate,
        *,
        bucket: Buckets,
        faults: Sequence[Fault],
        verify_every: int,
        unavailable_states: frozenset[str],
        late_reads: int = 0,
        report_seconds: float = 0.0,
        remember: int = REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = Store(estate, late_reads, report_seconds, clock)
        self.stats = Stats(remember)
        self.faults = FaultBook(faults)
        self._throttle = Throttle(bucket, clock)
        self._verify_every = verify_every
        self._requests = 0
        self._unavailable_states = unavailable_states

    def reset(self) -> None:
        """Forget what was counted, and fill the buckets; changed images stay changed."""
        self.stats.reset()
        self.faults.reset()
        self._throttle.reset()

    def answer(self, request: HttpRequest) -> Answer:
        """Return the answer to a request; what AWS would refuse is an answer too."""
        if request.path == "/_stats":
            return Answer(Reply(200, json.dumps(self.stats.as_json()).encode(), "application/json"), NO_EFFECT, None)
        if request.path == "/_reset":
            self.reset()
            return Answer(Reply(204, b"", "text/plain"), NO_EFFECT, None)
        authorization = parse_authorization(request.headers.get("authorization", ""))
        credentials = _credentials(authorization.access_key_id) if authorization else None
        if authorization is None or credentials is None:
            self.stats.signature_failures += 1
            return Answer(failure("ec2", "AuthFailure", _NOT_AUTHENTICATED, 401), NO_EFFECT, None)
        call = read_call(request, authorization)
        self.stats.arrived(call)
        try:
            self._authenticate(request, authorization, credentials)
            self._admit(call)
        except AwsProblem as problem:
            return Answer(failure(call.service, problem.code, problem.message, problem.status), NO_EFFECT, call)
        effect = self.faults.effect_on(call, self.stats)
        return Answer(effect.after(call, self._act(call, effect)), effect, call)

    def _authenticate(self, request: HttpRequest, authorization: Authorization, credentials: Credentials) -> None:
        """Check the session token always, the signature of every n-th request, and that the region is enabled."""
        self._requests += 1
        try:
            check_token(request, credentials)
            if self._verify_every and self._requests % self._verify_every == 0:
                self.stats.signatures_checked += 1
                verify(request, authorization, credentials)
        except AwsProblem as problem:
            self.stats.signature_failures += 1
            if authorization.service == "ec2" and problem.code in _SIGNATURE_CODES:
                raise AwsProblem("AuthFailure", _NOT_AUTHENTICATED, 401) from problem
            raise
        enabled = self.store.region(credentials.account_id, authorization.region)
        if authorization.service == "ec2" and enabled is None:
            raise AwsProblem("AuthFailure", _NOT_AUTHENTICATED, 401)

    def _admit(self, call: Call) -> None:
        if self._throttle.admits(call):
            return
        self.stats.throttled[call.action] += 1
        if call.service in JSON_SERVICES:
            raise AwsProblem("ThrottlingException", "Rate exceeded")
        raise AwsProblem("RequestLimitExceeded", "Request limit exceeded.", 503)

    def _act(self, call: Call, effect: Effect) -> Reply:
        if (instead := effect.instead(call, self.store)) is not None:
            return instead
        action = ACTIONS.get((call.service, call.action))
        if action is None:
            return failure(call.service, "InvalidAction", f"The action {call.action} is not valid for the fake.", 400)
        context = Context(self.store, effect, self._unavailable_states)
        try:
            return success(call.service, call.action, action(call, context))
        except AwsProblem as problem:
            return failure(call.service, problem.code, problem.message, problem.status)
