"""``python -m mlops``."""

import os
import sys

if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - as Python has put it there
    del sys.path[0]  # for -m: what lies in a folder announces no plug-ins and stands for no module

from mlops.cli import run

run()
