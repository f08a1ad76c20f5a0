"""What fuzzing has found: inputs that once were neither read nor refused as they should be. Each stays mended."""

from dataclasses import dataclass

from tests.fuzz.registry import TARGETS


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that was a mistake of ours.

    Attributes:
        was: what happened.
        target: by its name.
    """

    was: str
    target: str
    data: bytes


def _other(was: str, target: str, there: bytes, instead: bytes, seed: int = 0) -> Finding:
    """A seed with something else in one place."""
    data = TARGETS[target].seeds[seed]
    assert there in data
    return Finding(was, target, data.replace(there, instead, 1))


_YEAR_1 = b"0001-01-01T00:00:00+14:00"
_PERMISSION = b"<launchPermission><item><group>all</group></item></launchPermission>"
_IMAGES = b"<imagesSet><item><imageId>ami-1</imageId></item></imagesSet>"
FINDINGS = (
    # Replies of EC2.
    _other(
        "a second list of grants was passed over",
        "image-attribute",
        b"<launchPermission/>",
        b"<launchPermission/>" + _PERMISSION,
    ),
    _other("a second list of images was passed over", "images", b"<imagesSet/>", b"<imagesSet/>" + _IMAGES, 1),
    _other("OverflowError: a report of the year 1", "usage-reports", b"2026-06-15T08:00:00.000Z", _YEAR_1),
    # Records of CloudTrail, and what botocore makes of JSON of another shape.
    Finding("TypeError: the name of an event is an object", "trail-record", b'{"eventName": {}}'),
    _other(
        "TypeError: the attribute is an object",
        "trail-record",
        b'"attributeType": "launchPermission"',
        b'"attributeType": {"a": 1}',
    ),
    _other(
        "TypeError: what is done is a list", "trail-record", b'"operationType": "add"', b'"operationType": ["add"]', 1
    ),
    _other("OverflowError: an event of the year 1", "trail-record", b"2026-06-15T12:00:00Z", _YEAR_1),
    Finding("AttributeError in botocore: events that are a text", "trail-events", b'{"Events": "x"}'),
    Finding("AttributeError in botocore: a page that is a text", "trail-events", b'"x"'),
    Finding("AttributeError in botocore: grants that are texts", "kms-grants", b'{"Grants": ["x"]}'),
    Finding("TypeError in botocore: a list that is a number", "kms-grants", b'{"Grants": 1}'),
    Finding("AttributeError in botocore: a key that is a text", "kms-key", b'{"KeyMetadata": "x"}'),
    Finding("RecursionError in botocore", "kms-policy-reply", b"[" * 100_000),
    # Files.
    _other("OverflowError: a directory of the year 1", "directory", b"2026-09-01T12:30:00Z", _YEAR_1),
    Finding("KeyError: a header without its members", "checkpoint", b'{"type": "header", "schema_version": "1"}\n'),
    _other("ValueError when it was gone on with: begun at no time", "checkpoint", b"2026-06-15T10:00:00Z", b"once"),
    _other("ValueError: results of negative length", "checkpoint", b'"bytes": 8', b'"bytes": -5'),
    _other("OverflowError: results without end", "checkpoint", b'"bytes": 8', b'"bytes": 1e999'),
    _other("TypeError: a count that is a text", "checkpoint", b'"images": 1', b'"images": "1"'),
    _other(
        "TypeError: the id of an account is an object",
        "checkpoint",
        b'"account_id": "111122223333", "region"',
        b'"account_id": {}, "region"',
    ),
    Finding("RecursionError", "checkpoint", TARGETS["checkpoint"].seeds[0] + b"[" * 100_000 + b"\n"),
    # Saved reports.
    _other("ValueError in OCSF: ended at no time", "report-formats", b'"finished_at":"', b'"finished_at":" '),
    _other("ValueError in HTML: begun at no time", "report-formats", b'"started_at":"', b'"started_at":"x'),
    # Before these targets.
    *(
        Finding(f"let an error of ruamel.yaml escape: {text!r}", "settings", text)
        for text in (
            b"%YAML 1.1.1\n---\na",
            b"!<tag> a",
            b"a: !!float x\n!!int y: b",
            b'"\\U0011FFFF"',
            b"!\n%YAML 9.9\n",
            b"%YAML 1.123\n---\na",
        )
    ),
)
