"""`python -m tracelab.cli`."""

import sys

from tracelab.cli import main

if __name__ == "__main__":
    sys.exit(main())
