"""``python -m mlops``."""

import os
import sys
from contextlib import suppress

# Python has put the working directory there, for -m: what lies in it announces no plug-ins and stands for no module.
# Where that folder is gone nothing can be loaded from it.
with suppress(FileNotFoundError):
    if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - as text, as it stands there
        del sys.path[0]

from mlops.cli import run

run()
