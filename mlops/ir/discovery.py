"""How things of a kind are found: each a module in the package of its kind, or a plug-in of an installed package.

Commands, rules, step types, emit targets, report formats, strategies and services of the local account are all found
here, in the order of their names. To find is not to load: a name comes from the name of the file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from mlops.ir.dataclass import dataclass

if TYPE_CHECKING:
    from mlops.ir.plugins import Plugin


@dataclass(frozen=True, slots=True)
class Found:
    """``name`` is as people write it: without the ``_`` behind a name that Python keeps for itself, ``-`` for ``_``
    inside. One of ours has a ``module``, another's a ``plugin``."""

    name: str
    module: str | None = None
    plugin: Plugin | None = None

    def load(self) -> ModuleType:
        """The module of one of ours."""
        if self.module is None:
            raise LookupError(f"{self.name} is of a plug-in")
        return importlib.import_module(self.module)


@cache
def modules(package: ModuleType) -> Mapping[str, Found]:
    """Ours of the kind that lives in ``package``, by name.

    >>> from mlops.emit import targets
    >>> modules(targets)["definition-json"].module
    'mlops.emit.targets.definition_json'
    """
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    found = (Found(name.rstrip("_").replace("_", "-"), f"{package.__name__}.{name}") for name in names)
    return {item.name: item for item in found}


def discovered(package: ModuleType, group: str) -> Mapping[str, Found]:
    """Ours and those of plug-ins in the group, by name; none of ours is replaced by a plug-in."""
    from mlops.ir.plugins import plugins  # the command line finds its commands without

    found = {plugin.name: Found(plugin.name, plugin=plugin) for plugin in plugins(group)}
    found.update(modules(package))
    return {name: found[name] for name in sorted(found)}
