"""The inference toolkit's contract: which functions of a user's module turn a request into an answer, and the defaults.

Runs inside the sandbox; imports nothing else of the project. numpy is loaded when a default needs it.
"""

from __future__ import annotations

import importlib
import inspect
import io
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol
from zipfile import BadZipFile

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
_ANSWERED = (JSON, CSV, NPY)
_TEXT_TYPES = frozenset({JSON, CSV})
_TOOLKIT_ERROR = "BaseInferenceToolkitError"
_PARTS = ("input_fn", "predict_fn", "output_fn")


class HandlerFault(Exception):
    """The model cannot be served; told in one sentence."""


class RequestFault(Exception):
    """An answer other than 200. ``phrase`` is the status line's."""

    def __init__(
        self, status: int, message: str, phrase: str | None = None, *, content_type: str = "text/plain"
    ) -> None:
        super().__init__(message)
        self.status = status
        self.phrase = phrase
        self.content_type = content_type


def chosen_by_handler(fault: BaseException) -> RequestFault | None:
    """The answer that a handler asks for by raising an error of the inference toolkit; the toolkit need not be here."""
    if all(kind.__name__ != _TOOLKIT_ERROR for kind in type(fault).__mro__):
        return None
    status, message = getattr(fault, "status_code", 500), getattr(fault, "message", "")
    phrase = re.sub(r"[\r\n]", " ", str(getattr(fault, "phrase", "")))
    return RequestFault(int(status), str(message), phrase)


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    content_type: str


class Service(Protocol):
    """What is behind ``POST /invocations``, and behind paths of its own. ``most`` is how many bytes a body may have."""

    most: int

    def answer(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> Answer:
        """``content_type`` and ``accept`` are empty where they were not given. Raises :class:`RequestFault`."""

    def told(self, path: str) -> Answer | None:
        """To a GET; None where nothing is there."""


class Defaults(Protocol):
    """What stands for the functions that a user's module does not define."""

    def decode(self, data: bytes | str, content_type: str) -> Any:
        """Raises :class:`RequestFault`."""

    def predict(self, model: Any, data: Any) -> Any: ...

    def encode(self, prediction: Any, accept: str) -> bytes:
        """Raises :class:`RequestFault`."""


@dataclass(slots=True)
class Context:
    """What a handler function gets as its extra last argument, when it takes one."""

    system_properties: Mapping[str, Any]
    request_headers: Mapping[str, str] = field(default_factory=dict)

    def get_request_header(self, index: int, key: str) -> str | None:
        """``index`` counts requests of a batch; there is always one."""
        return next((text for name, text in self.request_headers.items() if name.lower() == key.lower()), None)


class Handlers:
    """The functions of one user module and the model that they loaded. Not safe for two requests at once."""

    most = 100 * 1024 * 1024  # the largest MaxPayloadInMB of a transform job

    def __init__(
        self, module: ModuleType, model_folder: Path, default_accept: str, defaults: Defaults | None = None
    ) -> None:
        """Loads the model. Raises :class:`HandlerFault`, ValueError and whatever the user's code raises."""
        self._functions: dict[str, Callable[..., Any]] = {
            name: found
            for name in ("pre_model_fn", "model_fn", "model_warmup_fn", "transform_fn", *_PARTS)
            if callable(found := getattr(module, name, None))
        }
        mixed = [name for name in _PARTS if name in self._functions]
        if "transform_fn" in self._functions and mixed:
            raise ValueError(f"{module.__name__} defines transform_fn and {', '.join(mixed)}: use one or the other")
        if "model_fn" not in self._functions:
            raise HandlerFault(f"model_fn is missing: {module.__name__} does not define it")
        self._default_accept = default_accept
        self._defaults = defaults or _Toolkit()
        self._system = {"model_dir": str(model_folder), "gpu_id": None}
        context = Context(self._system)
        if "pre_model_fn" in self._functions:
            self._call("pre_model_fn", context, str(model_folder))
        self._model = self._call("model_fn", context, str(model_folder))
        if "model_warmup_fn" in self._functions:
            self._call("model_warmup_fn", context, str(model_folder), self._model)

    def answer(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> Answer:
        """Raises :class:`RequestFault` and whatever the user's code raises."""
        context = Context(self._system, headers)
        content_type = content_type or JSON
        wanted = self._default_accept if accept in ("", "*/*") else accept
        data: bytes | str = body
        if content_type in _TEXT_TYPES:
            try:
                data = body.decode("utf-8")
            except UnicodeDecodeError as fault:
                raise RequestFault(400, f"the body is not UTF-8: {fault}") from fault
        if "transform_fn" in self._functions:
            result = self._call("transform_fn", context, self._model, data, content_type, wanted)
        else:
            result = self._in_parts(data, content_type, wanted, context)
        if isinstance(result, tuple) and len(result) == 2:
            result, wanted = result
        return Answer(_as_bytes(result), str(wanted))

    def _in_parts(self, data: bytes | str, content_type: str, wanted: str, context: Context) -> Any:
        if "input_fn" in self._functions:
            decoded = self._call("input_fn", context, data, content_type)
        else:
            decoded = self._defaults.decode(data, content_type)
        if "predict_fn" in self._functions:
            predicted = self._call("predict_fn", context, decoded, self._model)
        else:
            predicted = self._defaults.predict(self._model, decoded)
        if "output_fn" in self._functions:
            return self._call("output_fn", context, predicted, wanted)
        kind = _first_answered(wanted)
        return self._defaults.encode(predicted, kind), kind

    def told(self, path: str) -> None:
        return None

    def _call(self, name: str, context: Context, *arguments: Any) -> Any:
        """The context goes to a function with one parameter more, whether or not that has a default."""
        function = self._functions[name]
        match len(inspect.signature(function).parameters) - len(arguments):
            case 0:
                return function(*arguments)
            case 1:
                return function(*arguments, context)
        raise TypeError(f"{name} is to take {len(arguments)} arguments, or one more for the context")


class _Toolkit:
    def decode(self, data: bytes | str, content_type: str) -> Any:
        return decode(data, content_type)

    def predict(self, model: Any, data: Any) -> Any:
        return model.predict(data)

    def encode(self, prediction: Any, accept: str) -> bytes:
        return encode(prediction, accept)


def load_module(code: Path, program: str | None) -> ModuleType:
    """The user's module from ``code``. Raises :class:`HandlerFault` where there is none."""
    name = program or "inference.py"
    if not (code / name).is_file():
        if program is None:
            raise HandlerFault("model_fn is missing: put code/inference.py into model.tar.gz")
        there = ", ".join(sorted(path.name for path in code.glob("*"))) or "nothing"
        raise HandlerFault(f"SAGEMAKER_PROGRAM is {program!r}, but {code} holds: {there}")
    sys.path.insert(0, str(code))
    return importlib.import_module(name.removesuffix(".py").replace("/", "."))


def decode(data: bytes | str, content_type: str) -> Any:
    """An array; text formats become float32, one row stays a row. Raises :class:`RequestFault`."""
    import numpy

    raw = data.encode() if isinstance(data, str) else data
    text = data if isinstance(data, str) else ""
    try:
        match content_type:
            case "application/json":
                array = numpy.array(json.loads(text)).astype(numpy.float32)
            case "text/csv":
                array = numpy.genfromtxt(io.StringIO(text), delimiter=",", dtype=numpy.float32)
            case "application/x-npy":
                array = numpy.load(io.BytesIO(raw), allow_pickle=False)
            case "application/x-npz":
                sparse = importlib.import_module("scipy.sparse")
                return sparse.load_npz(io.BytesIO(raw))
            case other:
                raise RequestFault(415, f"content type {other or 'none'} is not supported; use {JSON}, {CSV} or {NPY}")
    except (ValueError, TypeError, EOFError, OSError, KeyError, BadZipFile) as fault:
        raise RequestFault(400, f"the body is no {content_type}: {fault}") from fault
    # The toolkit's serving path does the same, a column of single values included.
    return array.reshape(1, -1) if array.ndim < 2 else array


def encode(prediction: Any, accept: str) -> bytes:
    """Raises :class:`RequestFault`."""
    import numpy

    match accept:
        case "application/json":
            return json.dumps(prediction, default=_listed).encode()
        case "text/csv":
            array = numpy.asarray(prediction)
            stream = io.StringIO()
            numpy.savetxt(stream, array.reshape(1, -1) if array.ndim == 0 else array, delimiter=",", fmt="%s")
            return stream.getvalue().encode()
        case "application/x-npy":
            buffer = io.BytesIO()
            numpy.save(buffer, numpy.asarray(prediction), allow_pickle=False)
            return buffer.getvalue()
        case other:
            raise RequestFault(406, f"cannot answer with {other}; accept {JSON}, {CSV} or {NPY}")


def _listed(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: give an output_fn")


def _as_bytes(result: Any) -> bytes:
    if isinstance(result, str):
        return result.encode()
    if isinstance(result, bytes | bytearray | memoryview):
        return bytes(result)
    raise TypeError(f"the handler gave {type(result).__name__}; a body is bytes or text")


def _first_answered(accept: str) -> str:
    """The first entry of an Accept header that can be written; all of it where none can.

    >>> _first_answered("text/html, text/csv")
    'text/csv'
    """
    return next((kind for kind in accept.replace(" ", "").split(",") if kind in _ANSWERED), accept)
