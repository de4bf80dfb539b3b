"""How the commands of training end."""

import sys
from collections.abc import Callable

from edgewise.errors import EdgewiseError

BAD_INPUT, INTERRUPTED = 2, 130


def run(main: Callable[[], None]) -> None:
    """Run a command: one line and status 2 for what edgewise refuses, never a traceback for it."""
    try:
        main()
    except EdgewiseError as error:
        # Of what a process that makes samples refused, PyTorch gives the traceback before it.
        line = str(error).strip().splitlines()[-1]
        print(f"edgewise: {line.removeprefix('edgewise.errors.InputError: ')}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
