"""The ids that a listing has named so far, in little memory: it may go on for hours, and they grow all the time."""

import re
from array import array
from bisect import bisect_left

_LONG_ID = re.compile(r"ami-([0-9a-f]{15})([0-9a-f]{2})")


class ListedIds:
    """A set of image ids that only grows; an id as EC2 gives it takes about 10 bytes, where a `set` takes 110.

    The first 15 digits of an id are a number of 64 bits; the last two say in which array it is. Other ids are kept as
    they are.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, array[int]] = {}
        self._others: set[str] = set()

    def add(self, image_id: str) -> bool:
        """Take an id.

        Returns:
            Whether it is new.
        """
        found = _LONG_ID.fullmatch(image_id)
        if found is None:
            new = image_id not in self._others
            self._others.add(image_id)
            return new
        number = int(found[1], 16)
        numbers = self._numbers.setdefault(found[2], array("Q"))
        place = bisect_left(numbers, number)
        if place < len(numbers) and numbers[place] == number:
            return False
        numbers.insert(place, number)
        return True
