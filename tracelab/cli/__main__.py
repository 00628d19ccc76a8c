"""`python -m tracelab.cli`."""

import sys

from tracelab.cli import main

sys.exit(main())
