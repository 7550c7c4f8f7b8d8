"""The verifier is a project of its own: its tests find it beside them, and nothing of the platform."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
