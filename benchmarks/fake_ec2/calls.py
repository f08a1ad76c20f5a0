"""One call of an API, read from an HTTP request."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .sigv4 import Authorization
from .wire import HttpRequest, parse_form


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks what, where. `parameters` are the fields as they were sent, such as `Owner.1`."""

    service: str
    action: str
    account_id: str
    region: str
    access_key_id: str
    parameters: Mapping[str, str]

    def listed(self, prefix: str) -> list[str]:
        """Return the values of `prefix.1`, `prefix.2` and so on."""
        return list(self._numbered(prefix))

    def _numbered(self, prefix: str) -> Iterator[str]:
        number = 1
        while (value := self.parameters.get(f"{prefix}.{number}")) is not None:
            yield value
            number += 1

    def flag(self, name: str) -> bool:
        """Return whether a boolean parameter was sent as true."""
        return self.parameters.get(name, "").lower() == "true"

    @property
    def image_ids(self) -> list[str]:
        """The images that the call names."""
        single = self.parameters.get("ImageId")
        return [single] if single is not None else self.listed("ImageId")


def read_call(request: HttpRequest, authorization: Authorization) -> Call:
    """Return the call that an HTTP request makes, in the name of the account that its key id tells."""
    target = request.headers.get("x-amz-target")
    parameters: Mapping[str, str]
    if target is not None:
        action = target.partition(".")[2]
        parameters = {name: str(value) for name, value in json.loads(request.body or b"{}").items()}
    else:
        parameters = parse_form(request.body.decode() if request.body else request.query)
        action = parameters.get("Action", "")
    key = authorization.access_key_id
    return Call(authorization.service, action, key[4:16], authorization.region, key, parameters)
