"""Starts training by the path of this file: its modules get their own names, the rest of the package is not loaded.

The package may be unreachable for the step's interpreter, and loading all of it would only cost time.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

if __name__ == "__main__":
    package = types.ModuleType("mlops")
    package.__path__ = [str(Path(__file__).resolve().parent.parent.parent)]
    sys.modules["mlops"] = package

    from mlops.run.algorithms.training import main  # only now can it be found

    sys.exit(main(sys.argv[1:]))
