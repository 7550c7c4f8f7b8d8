"""Log lines as JSON: who, which act, what happened; never payloads, subjects or secrets."""

import json
import logging
from datetime import UTC, datetime

from consortium.common.correlation import correlation_id

_FIELDS = ("organization", "consortium", "actor", "run", "round", "attempt", "event", "duration_seconds")


class JsonFormatter(logging.Formatter):
    """One object a line, times in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "correlation_id": correlation_id(),
        }
        line |= {name: str(getattr(record, name)) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
