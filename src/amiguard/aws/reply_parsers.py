"""botocore's parsers, with one error for every reply that they stumble over.

They take a body to be what the service's model says: JSON of another shape (a text where an object belongs, nesting
without end, a time far from now) ends in whatever Python makes of it.
"""

from collections.abc import Mapping
from typing import Any

from botocore.parsers import ResponseParser, ResponseParserError, ResponseParserFactory


class ReplyParsers(ResponseParserFactory):  # type: ignore[misc]  # botocore has no types
    """Makes botocore's parsers; what they raise is `ResponseParserError`."""

    def create_parser(self, protocol_name: str) -> "_ReplyParser":
        """The parser of a protocol."""
        return _ReplyParser(super().create_parser(protocol_name))


class _ReplyParser:
    """Parses as another parser does."""

    def __init__(self, parser: ResponseParser) -> None:
        self._parser = parser

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        """As `ResponseParser.parse`."""
        try:
            return self._parser.parse(response, shape)
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            # Python 3.11 gives RecursionError, a RuntimeError; botocore itself raises RuntimeError for odd times.
            raise ResponseParserError(f"the reply is not of the service's shape ({type(error).__name__})") from error
