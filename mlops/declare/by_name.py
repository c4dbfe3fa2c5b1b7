"""What a step gives, by the names that its author chose: ``prepare.outputs["train"]``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from mlops.declare.misuse import misuse
from mlops.declare.other_uses import no_function
from mlops.declare.references import Poison
from mlops.declare.shown import Labelled
from mlops.declare.slips import near, slip
from mlops.declare.unknown_attributes import among, unknown_attribute

R = TypeVar("R")


class ByName(Mapping[str, R], Labelled):
    """A name that the step does not have gives a poisoned value. Where what named them was wrong itself, all names do,
    and nothing is said."""

    kind: ClassVar[str] = "output"

    def __init__(self, step: str, names: Iterable[str]) -> None:
        self._step = step
        self._poisoned = False
        self._names: tuple[str, ...] = tuple(names)

    def poison(self) -> None:
        """What names them was wrong."""
        self._poisoned = True

    def reference(self, name: str) -> R:
        """To one that the step has."""
        raise NotImplementedError

    def __getitem__(self, name: str) -> R:
        if isinstance(name, str) and name in self._names:
            return self.reference(name)
        if not self._poisoned:
            unknown_name(self._step, self.kind, name, self._names)
        return Poison()  # type: ignore[return-value]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def label(self) -> str:
        return f"all {self.kind}s of {self._step}"

    @property
    def instead(self) -> str | None:
        return f'{self.kind}s["{self._names[0]}"]' if self._names else None

    # Hidden from type checkers, so that they find an attribute that is not there.
    if not TYPE_CHECKING:

        def __call__(self, name: object = None, *_: object, **__: object) -> Any:
            meant = f'{self.kind}s["{name}"]' if isinstance(name, str) else self.instead
            help = f"write {meant}" if meant else "they stand in brackets, by name"
            known = isinstance(name, str) and name in self._names
            instead = self.reference(name) if known else Poison()
            label = f"the {self.kind}s of {self._step}"
            return no_function(label, help, instead, step=self._step, what="stand in brackets, not in parentheses")

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            if name in self._names:
                help, instead = f'write {self.kind}s["{name}"]', self.reference(name)
            else:
                close = near(name, self._names)
                help = f'did you mean {self.kind}s["{close[0]}"]?' if close else among(name, self._names, "they are")[0]
                instead = Poison()
            message = f"the {self.kind}s of {self._step} stand in brackets, by name; there is no attribute {name}"
            return unknown_attribute(name, message, help=help, instead=instead, step=self._step)


def unknown_name(step: str, kind: str, name: object, known: Iterable[str]) -> None:
    """Report that a step declares nothing of that name."""
    listed = [str(item) for item in known]
    close = near(str(name), listed)
    mend = f"did you mean {close[0]!r}? " if close else ""
    misuse(
        "D032",
        f"step {step} has no {kind} {name!r}",
        help=f"{mend}its {kind}s are {', '.join(listed) or 'none'}",
        step=step,
        edit=slip(name, listed) if isinstance(name, str) else None,
    )
