"""Plain functions as steps: ``@step(image=…)`` makes a Processing step of a call inside a pipeline.

Outside of a pipeline the call is the function's own. What travels is the function's file as it is and the modules
beside it that the function imports; in the container ``shipped/mlops_function.py`` runs of it what the function needs.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from typing_extensions import Unpack

from mlops.declare.functions.annotations import PATH, kind_of, results_of
from mlops.declare.functions.arguments import as_text, unfit
from mlops.declare.functions.returned import reference
from mlops.declare.functions.shipping import RUNNER, shipped, unshippable
from mlops.declare.misuse import misuse
from mlops.declare.pipeline import in_pipeline
from mlops.declare.references import Poison, Reference, ReportReference
from mlops.declare.shipped.mlops_function import RETURNED
from mlops.declare.shown import Labelled
from mlops.declare.source_line import author_line
from mlops.declare.steps.processing import INPUT_FOLDER, Processing, script_input
from mlops.declare.steps.shared_arguments import VOLUME_GB, Count, Environment, Image, Job, Text
from mlops.declare.unknown_attributes import among
from mlops.declare.unknown_names import told_arguments
from mlops.ir import Unknown, Value, Where

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["step"]

P = ParamSpec("P")
R = TypeVar("R")

DEFINITION = "def"
"""The input that brings the source. No parameter can have a name that is a keyword of Python."""
CHUNK = 256
"""botocore: ContainerArgument."""
WORDS = 100
"""botocore: ContainerArguments."""


class FunctionStep(Processing):
    """The Processing step of one call. Made by calling a :class:`Function`."""

    called = "@step"

    def __init__(self, name: str, function: Function[..., Any], call: _Call, **settings: Any) -> None:
        outputs = [field or "result" for field, kind in function.results.items() if kind == PATH]
        values = any(kind != PATH for kind in function.results.values())
        super().__init__(
            name,
            inputs=call.inputs,
            outputs=[*outputs, *([RETURNED] if values else [])],
            reports={RETURNED: f"{RETURNED}/{RETURNED}.json"} if values else None,
            args=[str(len(call.chunks)), *call.chunks, *call.texts],
            **settings,
        )
        self.function = function

    @classmethod
    def _arguments(cls) -> list[str]:
        """Those of ``@step``; the others are made of the call."""
        made = ("function", "call", "args", "inputs", "outputs", "reports", "code", "entry", "command", "count")
        return [name for name in Processing._arguments() if name not in made]

    def _code(self, lowering: Lowering) -> tuple[Value, tuple[Value, ...]]:
        function = self.function
        files = shipped(function.file, function.__name__, function.siblings, lowering.root, self)
        if files is None:
            return Unknown(), ()
        asset = lowering.asset_of(files, step=self)
        folder = f"{INPUT_FOLDER}/{DEFINITION}"
        return ("python3", f"{folder}/{RUNNER.name}"), (script_input(f"{asset.uri}/", DEFINITION, lowering, self),)


@dataclasses.dataclass(frozen=True, slots=True)
class _Call:
    """The arguments of one call: inputs by name, the JSON in chunks, and what the run gives as text."""

    inputs: dict[str, Any]
    chunks: list[str]
    texts: list[str | Reference]


class Function(Generic[P, R], Labelled):
    """A function that is a step when it is called inside of a pipeline, and itself otherwise.

    There a parameter annotated ``Path`` takes data and is an input; what the function gets is the input's folder.
    Others take literals, which travel as JSON, or references of the annotated type. A returned path becomes an output,
    a returned number, text or flag a reference to it; a NamedTuple, dataclass or TypedDict returns several."""

    def __init__(self, function: Callable[P, R], settings: Mapping[str, Any], where: Where) -> None:
        self.function = function
        self._settings = settings
        self._where = where
        self.__name__ = getattr(function, "__name__", "function")
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        self.parameters: dict[str, str] = {}
        self.results: dict[str, str] = {}
        self._sound = self._read()

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> R: ...
    def __call__(self, *args: Any, **kwargs: Any) -> R:
        """Static types are the function's own in a pipeline too. What the values may be there is checked by us, and by
        mypy with ``mlops/mypy_plugin.py``."""
        if in_pipeline():
            return self._step(args, kwargs)  # type: ignore[no-any-return]
        for value in (*args, *kwargs.values()):
            if isinstance(value, Reference | ReportReference):
                message = f"{self.__name__} is called with a reference outside of any pipeline"
                misuse("D030", message, help="call it inside `with Pipeline(…):`")
                return Poison()  # type: ignore[return-value]
        return self.function(*args, **kwargs)

    def options(self, **settings: Any) -> Function[P, R]:
        """The same function with other settings of its step, e.g. ``evaluate.options(name="Again", after=["Train"])``;
        they are those of ``@step``."""
        return Function(self.function, {**self._settings, **settings}, self._where)

    @property
    def siblings(self) -> list[str]:
        """The step functions of its module, itself among them: to each other they are ordinary functions."""
        known = self.function.__globals__.items()
        names = {name for name, value in known if isinstance(value, Function) and value.__name__ == name}
        return sorted({self.__name__, *names})

    @property
    def file(self) -> Path:
        """The file that it stands in."""
        return Path(self.function.__code__.co_filename)

    def _step(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        settings = dict(self._settings)
        name = settings.pop("name", None) or self.__name__
        if not self._sound:
            return Poison()
        call = self._call(name, args, kwargs)
        if call is None:
            return Poison()
        made = FunctionStep(name, self, call, **settings)
        return Poison() if made.poisoned or made.wrong else self._result(made)

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call | None:
        try:
            given = inspect.signature(self.function).bind(*args, **kwargs).arguments
        except TypeError:
            self._tell_misfit(name, args, kwargs)
            return None
        inputs: dict[str, Any] = {}
        literals: dict[str, Any] = {}
        kinds: dict[str, str] = {}
        texts: list[str | Reference] = []
        sound = True
        for parameter, value in given.items():
            kind = self.parameters[parameter]
            reason = unfit(kind, value)
            if reason is not None:
                help = f"give what its annotation says, or annotate {parameter} as what it is"
                misuse("D070", f"{self.__name__}: {parameter} {reason}", help=help, step=name)
                sound = False
            elif kind == PATH:
                inputs[parameter] = value
            elif isinstance(value, Reference | ReportReference):
                kinds[parameter] = kind
                texts.append(as_text(value))
            else:
                literals[parameter] = value
        if not sound:
            return None
        call = {
            "file": self.file.name,
            "function": self.__name__,
            "steps": self.siblings,
            "literals": literals,
            "paths": sorted(inputs),
            "texts": kinds,
            "results": self.results,
        }
        # Order matters in texts and results alone, and both are in the order of the source.
        text = json.dumps(call, separators=(",", ":"))
        chunks = [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]
        if 1 + len(chunks) + len(texts) > WORDS:
            message = f"{self.__name__}: the literal arguments are too long for a command line ({len(text)} characters)"
            misuse("D070", message, help="put them into a file and hand that in as a Path", step=name)
            return None
        return _Call(inputs, chunks, texts)

    def _tell_misfit(self, step: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Arguments that the function does not take, or lacks."""
        unknown = [given for given in kwargs if given not in self.parameters]
        meant = {given: among(given, self.parameters) for given in unknown}
        for given, (help, edit) in meant.items():
            misuse("D070", f"{self.__name__}: there is no argument {given}", help=help, step=step, edit=edit)
        taken = {*list(self.parameters)[: len(args)], *kwargs, *(edit.new for _, edit in meant.values() if edit)}
        required = [
            item.name for item in inspect.signature(self.function).parameters.values() if item.default is item.empty
        ]
        for lacking in required:
            if lacking not in taken and (not unknown or len(required) > 1):
                message = f"{self.__name__}: the argument {lacking} is missing"
                misuse("D070", message, help=f"write {lacking}=…", step=step)
        if len(args) > len(self.parameters):
            message = f"{self.__name__}: it is given {len(args)} arguments"
            misuse("D070", message, help=f"it takes {', '.join(self.parameters) or 'none'}", step=step)
        elif (
            twice := next((given for given in list(self.parameters)[: len(args)] if given in kwargs), None)
        ) is not None:
            misuse("D070", f"{self.__name__}: {twice} is given twice", help="keep one of the two", step=step)

    def _result(self, made: FunctionStep) -> Any:
        values = {field: self._reference(made, field, kind) for field, kind in self.results.items()}
        returned = typing.get_type_hints(self.function).get("return")
        if not values:
            return None
        if "" in values:
            return values[""]
        if isinstance(returned, type) and dataclasses.is_dataclass(returned):
            instance = object.__new__(returned)
            for field, value in values.items():
                object.__setattr__(instance, field, value)
            return instance
        if isinstance(returned, type) and issubclass(returned, tuple):
            return returned(**values)
        return tuple(values.values()) if typing.get_origin(returned) is tuple else values

    def _reference(self, made: FunctionStep, field: str, kind: str) -> Reference:
        name = field or "result"
        return made.outputs[name] if kind == PATH else reference(kind, made.name, name)

    def _read(self) -> bool:
        """Learn parameters and results from the annotations; False where the function cannot be a step."""
        fault = unshippable(self.function)
        if fault is not None:
            misuse("D071", fault[0], help=fault[1], where=self._where)
            return False
        try:
            hints = typing.get_type_hints(self.function)
            results = results_of(hints.get("return"), self.function.__globals__)
        except Exception as error:  # an annotation is the author's own expression
            message = f"{self.__name__}: an annotation cannot be read: {error}"
            misuse("D072", message, help="what it names has to be there when the file is read", where=self._where)
            return False
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or parameter.name not in hints:
                message = f"{self.__name__}: the parameter {parameter} has no type of its own"
                help = "annotate each: Path for data, else float, int, str, bool, or what JSON has"
                misuse("D072", message, help=help, where=self._where)
                return False
            self.parameters[parameter.name] = kind_of(hints[parameter.name])
        if "return" not in hints:
            message = f"{self.__name__} does not say what it returns"
            help = "annotate it: -> None, -> float, -> Path, or a NamedTuple of such"
            misuse("D072", message, help=help, where=self._where)
            return False
        self.results = results
        return True

    @property
    def label(self) -> str:
        return f"the step function {self.__name__}"

    @property
    def instead(self) -> str:
        return f"{self.__name__}(…)"

    def __repr__(self) -> str:
        return f"<step function {self.__name__}>"


@told_arguments
def step(
    *,
    image: Image,
    name: str | None = None,
    environment: Environment | None = None,
    instance: Text | None = None,
    volume: Count = VOLUME_GB,
    max_runtime: Count | None = None,
    **shared: Unpack[Job],
) -> Callable[[Callable[P, R]], Function[P, R]]:
    """Make a function a step. ``name`` is the step's, the function's own where it is left out; the others are as with
    Processing. The image has to bring what the function imports, apart from modules beside its file."""
    settings: dict[str, Any] = {
        "image": image,
        "name": name,
        "environment": environment,
        "instance": instance,
        "volume": volume,
        "max_runtime": max_runtime,
        **shared,
    }
    where = author_line()

    def decorate(function: Callable[P, R]) -> Function[P, R]:
        return Function(function, settings, where)

    return decorate
