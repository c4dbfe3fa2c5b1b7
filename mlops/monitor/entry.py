"""Starts the program by the path of this file: ``python entry.py quality|clarify|monitor``.

Its modules get their own names, the rest of the package is not loaded and may not be there.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    for name, path in (("mlops", folder.parent), ("mlops.monitor", folder)):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package

    from mlops.monitor.main import main  # only now can it be found

    sys.exit(main(sys.argv[1:]))
