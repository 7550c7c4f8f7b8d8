"""What a long benchmark is doing, on standard error: standard output holds the tables alone."""

import sys
import time

_BEGIN = time.monotonic()


def say(text: str) -> None:
    """Print one line with the seconds since this process began."""
    print(f"  {time.monotonic() - _BEGIN:6.1f} s  {text}", file=sys.stderr, flush=True)
