"""Plain functions as steps: ``@step(image=…)`` makes a Processing step of a call inside a pipeline.

Outside of a pipeline the call is the function's own. What travels is the function's file as it is and the modules
beside it that the function imports; in the container ``shipped/mlops_function.py`` runs of it what the function needs.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, TypeVar, overload

from typing_extensions import Unpack

from mlops.declare.misuse import misuse
from mlops.declare.pipeline import in_pipeline
from mlops.declare.references import (
    AnyReference,
    BooleanReference,
    DataReference,
    FloatReference,
    IntegerReference,
    JsonSource,
    ModelReference,
    NumberReference,
    Poison,
    Reference,
    ReportReference,
    ReportValue,
    StringReference,
    join,
)
from mlops.declare.shipped import mlops_function as runner
from mlops.declare.source_line import author_line
from mlops.declare.steps.processing import INPUT_FOLDER, Athena, Input, Processing, Redshift, script_input
from mlops.declare.steps.shared_arguments import VOLUME_GB, Count, Environment, Image, Job, Text
from mlops.ir import Ref, Unknown, Value, Where

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["step"]

P = ParamSpec("P")
R = TypeVar("R")

RUNNER: Final = Path(runner.__file__)
DEFINITION = "def"
"""The input that brings the source. No parameter can have a name that is a keyword of Python."""
CHUNK = 256
"""botocore: ContainerArgument."""
WORDS = 100
"""botocore: ContainerArguments."""

SCALARS: Mapping[object, str] = {float: "float", int: "int", bool: "bool", str: "str"}
PATH = "path"
JSON = "json"


class _Returned(ReportValue):
    """One value that a function returns."""

    def __init__(self, step: str, field: str) -> None:
        file = Ref(f"Steps.{step}.PropertyFiles.{runner.RETURNED}")
        super().__init__(JsonSource(f"what {step} returns", property_file=file), field)


class _ReturnedFloat(FloatReference):
    noun = "a float that a function returns"

    def __init__(self, step: str, field: str) -> None:
        self._value = _Returned(step, field)

    def lower(self) -> Value:
        return self._value.lower()


class _ReturnedInteger(IntegerReference):
    noun = "an integer that a function returns"

    def __init__(self, step: str, field: str) -> None:
        self._value = _Returned(step, field)

    def lower(self) -> Value:
        return self._value.lower()


class _ReturnedText(StringReference):
    noun = "a string that a function returns"

    def __init__(self, step: str, field: str) -> None:
        self._value = _Returned(step, field)

    def lower(self) -> Value:
        return self._value.lower()


class _ReturnedFlag(BooleanReference):
    noun = "a boolean that a function returns"

    def __init__(self, step: str, field: str) -> None:
        self._value = _Returned(step, field)

    def lower(self) -> Value:
        return self._value.lower()


_RETURNED: Mapping[str, Callable[[str, str], Reference]] = {
    "float": _ReturnedFloat,
    "int": _ReturnedInteger,
    "str": _ReturnedText,
    "bool": _ReturnedFlag,
    JSON: _Returned,
}


class FunctionStep(Processing):
    """The Processing step of one call. Made by calling a :class:`Function`."""

    def __init__(self, name: str, function: Function[..., Any], call: _Call, **settings: Any) -> None:
        outputs = [field or "result" for field, kind in function.results.items() if kind == PATH]
        values = any(kind != PATH for kind in function.results.values())
        returned = runner.RETURNED
        super().__init__(
            name,
            inputs=call.inputs,
            outputs=[*outputs, *([returned] if values else [])],
            reports={returned: f"{returned}/{returned}.json"} if values else None,
            args=[str(len(call.chunks)), *call.chunks, *call.texts],
            **settings,
        )
        self.function = function

    def _code(self, lowering: Lowering) -> tuple[Value, tuple[Value, ...]]:
        files = _shipped(self.function, lowering.root, self)
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


class Function(Generic[P, R]):
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
        return Poison() if made.poisoned else self._result(made)

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call | None:
        try:
            given = inspect.signature(self.function).bind(*args, **kwargs).arguments
        except TypeError as error:
            misuse("D070", f"{self.__name__}: {error}", help=f"it takes {', '.join(self.parameters)}", step=name)
            return None
        inputs: dict[str, Any] = {}
        literals: dict[str, Any] = {}
        kinds: dict[str, str] = {}
        texts: list[str | Reference] = []
        sound = True
        for parameter, value in given.items():
            kind = self.parameters[parameter]
            reason = _unfit(kind, value)
            if reason is not None:
                misuse("D070", f"{self.__name__}: {parameter} {reason}", step=name)
                sound = False
            elif kind == PATH:
                inputs[parameter] = value
            elif isinstance(value, Reference | ReportReference):
                kinds[parameter] = kind
                texts.append(_as_text(value))
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

    def _result(self, made: FunctionStep) -> Any:
        values = {field: self._reference(made, field, kind) for field, kind in self.results.items()}
        returned = _hints(self.function).get("return")
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
        return made.outputs[name] if kind == PATH else _RETURNED[kind](made.name, name)

    def _read(self) -> bool:
        """Learn parameters and results from the annotations; False where the function cannot be a step."""
        fault = _unshippable(self.function)
        if fault is not None:
            misuse("D071", fault[0], help=fault[1], where=self._where)
            return False
        try:
            hints = _hints(self.function)
            results = _results(hints.get("return"), self.function.__globals__)
        except Exception as error:  # an annotation is the author's own expression
            misuse("D072", f"{self.__name__}: an annotation cannot be read: {error}", where=self._where)
            return False
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or parameter.name not in hints:
                message = f"{self.__name__}: the parameter {parameter} has no type of its own"
                help = "annotate each: Path for data, else float, int, str, bool, or what JSON has"
                misuse("D072", message, help=help, where=self._where)
                return False
            self.parameters[parameter.name] = _kind(hints[parameter.name])
        if "return" not in hints:
            message = f"{self.__name__} does not say what it returns"
            help = "annotate it: -> None, -> float, -> Path, or a NamedTuple of such"
            misuse("D072", message, help=help, where=self._where)
            return False
        self.results = results
        return True

    def __repr__(self) -> str:
        return f"<step function {self.__name__}>"


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


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return typing.get_type_hints(function)


def _unshippable(function: Callable[..., Any]) -> tuple[str, str] | None:
    """Why a function cannot travel as source, and how to mend it."""
    name = getattr(function, "__name__", repr(function))
    if not inspect.isfunction(function):
        return f"@step makes steps of plain functions; {name} is none", "decorate a `def` at the top of a module"
    if name == "<lambda>":
        return "a lambda has no name that could be found in its file", "write a `def` at the top of a module"
    if function.__closure__:
        outer = ", ".join(function.__code__.co_freevars)
        return f"{name} reads {outer} of the function around it", "make them arguments, and move it to the top level"
    if function.__qualname__ != name:
        return f"{name} stands inside of another function or class", "move it to the top level of its file"
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        return f"{name} is asynchronous or a generator", "return what it makes"
    if not Path(function.__code__.co_filename).is_file():
        return f"{name} stands in no file", "put it into a file of the project"
    return None


def _kind(annotation: object) -> str:
    """How a value of a type travels; ``X | None`` travels as X does."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        own = [item for item in typing.get_args(annotation) if item is not type(None)]
        annotation = own[0] if len(own) == 1 else annotation
    if isinstance(annotation, type) and issubclass(annotation, Path):
        return PATH
    return SCALARS.get(annotation, JSON)


def _results(annotation: object, names: Mapping[str, Any]) -> dict[str, str]:
    """Fields to kinds, in order; one result has the name ""."""
    if annotation is None or annotation is type(None):
        return {}
    fields: Mapping[str, Any] | None = None
    if typing.get_origin(annotation) is tuple:
        fields = {f"item{place}": item for place, item in enumerate(typing.get_args(annotation)) if item is not ...}
    elif isinstance(annotation, type) and (
        dataclasses.is_dataclass(annotation) or typing.is_typeddict(annotation) or hasattr(annotation, "_fields")
    ):
        fields = typing.get_type_hints(annotation, dict(names))
    return {"": _kind(annotation)} if fields is None else {name: _kind(item) for name, item in fields.items()}


_TAKES: Mapping[str, tuple[type, ...]] = {
    "float": (NumberReference, AnyReference),
    "int": (IntegerReference, AnyReference),
    "bool": (BooleanReference, AnyReference),
    "str": (StringReference, DataReference, ModelReference, ReportReference),
}

_LITERALS: Mapping[str, tuple[type, ...]] = {"float": (float, int), "int": (int,), "bool": (bool,), "str": (str,)}


def _unfit(kind: str, value: object) -> str | None:
    """Why a value cannot be an argument of that kind; None where it can."""
    if isinstance(value, Poison):
        return None
    if kind == PATH:
        data = (DataReference, ModelReference, StringReference, ReportReference, str, Path, Input, Athena, Redshift)
        return None if isinstance(value, data) else f"is a Path, so it takes data; it is {_shown(value)}"
    if isinstance(value, Reference | ReportReference):
        if isinstance(value, _TAKES.get(kind, ())):
            return None
        return f"takes {'what JSON has' if kind == JSON else f'type {kind}'}; it is {_shown(value)}"
    if value is None:
        return None
    if kind != JSON:
        fits = isinstance(value, _LITERALS[kind]) and (kind == "bool" or not isinstance(value, bool))
        finite = not isinstance(value, float) or math.isfinite(value)
        return None if fits and finite else f"takes type {kind}; it is {_shown(value)}"
    fault = next(_not_json(value), None)
    return None if fault is None else f"travels as JSON, which has no {_shown(fault)}"


def _not_json(value: object, depth: int = 0) -> Iterator[object]:
    """Parts of a value that JSON would change or refuse."""
    if depth > 64:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _not_json(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield key
            yield from _not_json(item, depth + 1)
    elif type(value) not in (str, int, float, bool, type(None)) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        yield value


def _shown(value: object) -> str:
    return value.label if isinstance(value, Reference) else f"{value!r:.60} ({type(value).__name__})"


def _as_text(value: Reference | ReportReference) -> str | Reference:
    """A reference as a word of a command line: the run makes text of a number by a join."""
    if isinstance(value, ReportReference):
        return value.uri
    return value if isinstance(value, StringReference | DataReference | ModelReference) else join(value)


def _shipped(function: Function[..., Any], root: Path, made: FunctionStep) -> tuple[tuple[str, Path], ...] | None:
    """The files that travel: our runner, the function's file, and the modules beside it that are imported. A file of a
    package that no import names may be a template or a test: it travels as it is, whether it parses or not."""
    home = function.file.resolve()
    if not home.is_relative_to(root):
        message = f"{made.name}: {function.__name__} stands in {home}, outside of the project {root}"
        misuse("D053", message, step=made.name, where=made.where)
        return None
    tree = _parsed(home, made, certain=True)
    if tree is None:
        return None
    files = {RUNNER.name: RUNNER, home.name: home}
    waiting: list[Sequence[ast.stmt]] = [runner.needed(tree, function.__name__, function.siblings)]
    while waiting:
        for statement in waiting.pop():
            if isinstance(statement, ast.With | ast.For | ast.While):
                _complain(made, f"{function.__name__} reads what line {statement.lineno} of {home.name} makes")
                return None
            tried = {
                id(node) for block in ast.walk(statement) if isinstance(block, ast.Try) for node in ast.walk(block)
            }
            for node in ast.walk(statement):
                if runner.imports_mlops(node):
                    _complain(made, f"{function.__name__} needs mlops, which no container has")
                    return None
                named = _imported(node)
                for module in dict.fromkeys(name.partition(".")[0] for name in named):
                    for name, path in _beside(home.parent, module):
                        if name in files or path == home:
                            continue
                        files[name] = path
                        certain = _module_of(name) in named and id(node) not in tried
                        if (inside := _parsed(path, made, certain=certain)) is not None:
                            waiting.append(inside.body)
                        elif certain:
                            return None
    return tuple(sorted(files.items()))


def _parsed(file: Path, made: FunctionStep, *, certain: bool) -> ast.Module | None:
    """None for what Python cannot read, which is told where it is ``certain`` to be read."""
    try:
        return ast.parse(file.read_bytes(), str(file))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if certain:
            said = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
            line = error.lineno if isinstance(error, SyntaxError) and (error.lineno or 0) > 0 else 1
            message = f"{made.name} ships {file.name}, and Python cannot read it: {said}"
            misuse("D101", message, step=made.name, where=Where(str(file), line))
    except OSError as error:
        if certain:
            message = f"{made.name}: {file} cannot be read: {error.strerror}"
            misuse("D053", message, step=made.name, where=made.where)
    return None


def _complain(made: FunctionStep, what: str) -> None:
    help = "a step function may use imports, functions, classes and constants of its file, and its arguments"
    misuse("D071", f"{made.name}: {what}", help=help, step=made.name, where=made.where)


def _imported(node: ast.AST) -> list[str]:
    """
    >>> [_imported(node) for node in ast.parse("import a.b\\nfrom c.d import e, f").body]
    [['a', 'a.b'], ['c', 'c.d', 'c.d.e', 'c.d.f']]
    """
    if isinstance(node, ast.Import):
        return [name for alias in node.names for name in _with_parents(alias.name)]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [*_with_parents(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _with_parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[: number + 1]) for number in range(len(parts))]


def _module_of(path: str) -> str:
    """
    >>> _module_of("package/part.py"), _module_of("package/__init__.py")
    ('package.part', 'package')
    """
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _beside(folder: Path, module: str) -> list[tuple[str, Path]]:
    """The files of a module or package in the same folder; none where it comes from somewhere else."""
    if (folder / f"{module}.py").is_file():
        return [(f"{module}.py", folder / f"{module}.py")]
    package = folder / module
    if not (package / "__init__.py").is_file():
        return []
    return [(file.relative_to(folder).as_posix(), file) for file in sorted(package.rglob("*.py")) if file.is_file()]
