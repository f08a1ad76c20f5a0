"""One call of an API, read from an HTTP request."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .sigv4 import Authorization
from .wire import HttpRequest, parse_form


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks what, where. `parameters` are the fields as they were sent, such as `Owner.1`; JSON is flattened so."""

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

    def numbered(self, prefix: str, member: str) -> list[str]:
        """Return `prefix.1`, `prefix.2` and so on, of the structures of a list that have this member."""
        found: list[str] = []
        while f"{prefix}.{len(found) + 1}.{member}" in self.parameters:
            found.append(f"{prefix}.{len(found) + 1}")
        return found

    def flag(self, name: str) -> bool:
        """Return whether a boolean parameter was sent as true."""
        return self.parameters.get(name, "").lower() == "true"

    @property
    def image_ids(self) -> list[str]:
        """The images that the call names."""
        single = self.parameters.get("ImageId")
        if single is None and self.action == "LookupEvents":
            single = self.parameters.get("LookupAttributes.1.AttributeValue")
        return [single] if single is not None else self.listed("ImageId")

    @property
    def resource_ids(self) -> list[str]:
        """What the call is about: images, or else snapshots (by a filter, too), reports or keys."""
        if found := self.image_ids:
            return found
        for name in ("SnapshotId", "ReportId", "KeyId"):
            if found := [self.parameters[name]] if name in self.parameters else self.listed(name):
                return found
        return self.listed("Filter.1.Value") if self.parameters.get("Filter.1.Name") == "snapshot-id" else []


def read_call(request: HttpRequest, authorization: Authorization) -> Call:
    """Return the call that an HTTP request makes, in the name of the account that its key id tells."""
    target = request.headers.get("x-amz-target")
    parameters: Mapping[str, str]
    if target is not None:
        # CloudTrail has dots in front of its action.
        action = target.rpartition(".")[2]
        parameters = dict(_flattened(json.loads(request.body or b"{}")))
    else:
        parameters = parse_form(request.body.decode() if request.body else request.query)
        action = parameters.get("Action", "")
    key = authorization.access_key_id
    return Call(authorization.service, action, key[4:16], authorization.region, key, parameters)


def _flattened(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the members of a JSON object under the names that they would have in a form."""
    for name, value in values.items():
        match value:
            case dict():
                yield from _flattened(value, f"{prefix}{name}.")
            case list():
                yield from _flattened({str(number): item for number, item in enumerate(value, 1)}, f"{prefix}{name}.")
            case _:
                yield f"{prefix}{name}", str(value)
