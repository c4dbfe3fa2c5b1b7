"""What an author gave a step by name, as it may be read back: ``train.hyperparameters["depth"]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mlops.declare.by_name import unknown_name
from mlops.declare.misuse import misuse
from mlops.declare.other_uses import no_function
from mlops.declare.references import Poison
from mlops.declare.source_line import is_authors
from mlops.declare.unknown_attributes import unknown_attribute


class GivenByName(dict[str, Any]):
    """A name that was not given is told with all other mistakes of a file. ``value_of`` gives what a name stands for
    when the pipeline runs, where that is something else than what was given."""

    def __init__(
        self, step: str, what: str, given: Mapping[str, Any], value_of: Callable[[str], Any] | None = None
    ) -> None:
        super().__init__(given)
        self._step = step
        self._what = what
        self._word = "variable" if what == "environment" else what.removesuffix("s")
        self._value_of = value_of

    # Hidden from type checkers, so that they find an attribute that is not there.
    if not TYPE_CHECKING:

        def __getitem__(self, name: str) -> Any:
            known = name in self
            if (known and self._value_of is None) or not is_authors(sys._getframe(1).f_code.co_filename):
                return super().__getitem__(name)
            if known:
                message = f"the {self._what} of {self._step} are what was given, no values"
                misuse("D031", message, help=f'here it is {self._word}("{name}")', step=self._step)
                return self._value_of(name)
            unknown_name(self._step, self._word, name, self)
            return Poison()

        def __call__(self, name: object = None, *_: object, **__: object) -> Any:
            meant = name if isinstance(name, str) else next(iter(self), "name")
            mine = self._value_of is not None
            help = f'here it is {self._word}("{meant}")' if mine else f'write {self._what}["{meant}"]'
            instead = self._value_of(name) if mine and name in self else self.get(name, Poison())
            label = f"the {self._what} of {self._step}"
            return no_function(label, help, instead, step=self._step, what="stand by name, not in parentheses")

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            help = (
                f'here it is {self._word}("{name}")' if self._value_of is not None else f'write {self._what}["{name}"]'
            )
            message = f"the {self._what} of {self._step} stand by name; there is no attribute {name}"
            return unknown_attribute(name, message, help=help, step=self._step, instead=Poison())
