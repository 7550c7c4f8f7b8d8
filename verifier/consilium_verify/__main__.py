"""`python -m consilium_verify`."""

import sys

from consilium_verify.cli import main

sys.exit(main())
