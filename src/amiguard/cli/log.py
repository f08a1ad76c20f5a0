"""`--verbose`: a structured log on stderr, one JSON object a line."""

import json
import logging
import sys
import time

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Time, level and event, and whatever the caller gave in `extra`. JSON escapes what a terminal must not see."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as a line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = {"time": f"{moment}.{int(record.msecs):03}Z", "level": record.levelname.lower()}
        fields["event"] = record.getMessage()
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        fields.update((name, value) for name, value in record.__dict__.items() if name not in _OWN)
        return json.dumps(fields, default=str)


def log_to_stderr() -> None:
    """Show what the package logs. Only its own loggers: botocore's at this level write credentials."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("amiguard")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
