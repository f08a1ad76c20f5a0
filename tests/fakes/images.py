"""Short ways to make core values in tests."""

from amiguard.core.image import Image

OWNER = "123456789012"


def image(image_id: str = "ami-0123456789abcdef0", **changes: object) -> Image:
    """An image of `OWNER` in eu-central-1."""
    fields: dict[str, object] = {
        "account_id": OWNER,
        "region": "eu-central-1",
        "partition": "aws",
        "name": "golden-ubuntu",
        "creation_date": "2026-09-01T10:00:00.000Z",
        "state": "available",
        **changes,
    }
    return Image(image_id, **fields)  # type: ignore[arg-type]  # a test names the fields it needs
