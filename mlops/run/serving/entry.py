"""Starts the server by the path of this file: its modules get their own names, the rest of the package is not loaded.

The package may be unreachable for the step's interpreter, and loading all of it would only cost time.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    for name, path in (("mlops", folder.parent.parent), ("mlops.run", folder.parent), ("mlops.run.serving", folder)):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package

    from mlops.run.serving.server import main  # only now can it be found

    sys.exit(main())
