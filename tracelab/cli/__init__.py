"""The command line: `tracelab demo`, `show`, `info`, `diff`, `run`, `check`, `trace`, `export`.

The exit status is 0, 1 where differences or faults are found, and 2 where something cannot be done.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

from tracelab.cli.outputs import refuse_inputs
from tracelab.cli.parser import parser_of_all


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The words behind `tracelab`; those of the process by default.

    Returns:
        The exit status: 0 for success, 1 where differences or faults were found, 2 where it cannot be done.

    >>> main([])  # doctest: +ELLIPSIS
    usage: tracelab ...
    0
    """
    parser = parser_of_all()
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help()
        return 0
    from tracelab.cli.terminal import say_error, warns_escaped
    from tracelab.errors import TracelabError

    try:
        with warns_escaped():
            refuse_inputs(options)
            status: int = options.run(options)
    except TracelabError as error:
        say_error(f"tracelab: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Who read the text has seen enough: `tracelab show FILE --text | head`.
        sys.stderr.close()
        return 0
    except Exception:
        # A fault of tracelab, or of the code that it ran: 1 would say that a difference was found.
        say_error(traceback.format_exc().rstrip("\n"))
        return 2
    return status
