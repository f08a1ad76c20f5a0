"""DescribeImages by the snapshot under an image, a filter that moto lacks. Imports moto.

Source: EC2 API Reference, DescribeImages, `block-device-mapping.snapshot-id`.
"""

from contextlib import AbstractContextManager
from typing import Any

from moto.ec2.models.amis import Ami

from amiguard.demo.moto_methods import served

_BY_SNAPSHOT = "block-device-mapping.snapshot-id"


def served_image_filters() -> AbstractContextManager[None]:
    """Lets moto's images know the filter meanwhile."""
    others = Ami.get_filter_value

    def value_of(image: Ami, filter_name: str, method_name: str | None = None) -> Any:
        # moto puts one snapshot under each image.
        return image.ebs_snapshot.id if filter_name == _BY_SNAPSHOT else others(image, filter_name, method_name)

    return served(Ami, {"get_filter_value": value_of})
