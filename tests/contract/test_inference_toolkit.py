"""A model's handlers behave behind a local server as they do behind the inference toolkit of the framework images.

Each case is one module of handlers and one request, answered by ``sagemaker_inference``'s Transformer and by ours.
Where the two differ on purpose:

| What | Toolkit | Here | Reason |
|---|---|---|---|
| JSON, CSV without `input_fn` | numpy's type, one row is flat | float32, one row is a row | as the scikit-learn image |
| no `predict_fn` | NotImplementedError | `model.predict` | as the scikit-learn image |
| unreadable body, unknown type or Accept | 500 | 400, 415, 406 | says who is at fault; as older images |
| body that is not UTF-8 for JSON and CSV | 500 | 400 | the same |
| no Content-Type | handlers get None | `application/json` | as older images |
| no `model_fn`; `transform_fn` beside the three | 500 at the first request | does not start | told before serving |
| a lone number as CSV | 500 | one line | harmless |
| pickled objects in NPY | loaded | refused with 400 | a body must not run code |
"""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import scipy

from mlops.run.serving.handlers import Handlers, RequestFault, chosen_by_handler

if importlib.util.find_spec("sagemaker_inference") is None:
    pytest.skip("sagemaker-inference is not installed", allow_module_level=True)

LOAD = "def model_fn(folder): return 'model'\n"
PARTS = """
def input_fn(body, kind): return f"{type(body).__name__} {body!r} {kind}"
def predict_fn(data, model): return f"{data} {model}"
def output_fn(prediction, accept): return f"{prediction} {accept}"
"""
WITH_CONTEXT = """
def model_fn(folder, context): return sorted(context.system_properties)[-1:] and folder
def input_fn(body, kind, context): return f"{body} {context is not None}"
def predict_fn(data, model, context=None): return f"{data} {context is not None}"
def output_fn(prediction, accept, anything): return f"{prediction} {anything is not None}"
"""
TRANSFORM = "def transform_fn(model, body, kind, accept): return f'{model} {body!r} {kind} {accept}'\n"
BEFORE = """
calls = []
def pre_model_fn(folder): calls.append(("pre", folder))
def model_fn(folder): calls.append(("load", folder)); return "model"
def model_warmup_fn(folder, model): calls.append(("warm", folder, model))
def transform_fn(model, body, kind, accept): return repr(calls)
"""
RAISES = """
from sagemaker_inference.errors import BaseInferenceToolkitError, GenericInferenceToolkitError
class Mine(BaseInferenceToolkitError):
    def __init__(self): super().__init__(429, "too many", "Slow\\r\\nDown")
def transform_fn(model, body, kind, accept):
    raise {"mine": Mine(), "generic": GenericInferenceToolkitError(418), "other": ValueError("bad")}[body]
"""
ARRAY = "import numpy\ndef predict_fn(data, model): return numpy.asarray(data)\n"
PREDICT = """
import numpy
def input_fn(body, kind): return body
def predict_fn(data, model):
    return {"array": numpy.array([[1, 2.5], [3, 4]]), "row": numpy.array([1.5, 2]), "list": [1, [2, None]],
            "map": {"a": numpy.float32(1), "b": "x"}, "text": "yes", "texts": ["a", "b"]}[data]
"""

Case = tuple[str, bytes, str, str]
CASES: dict[str, Case] = {
    "three functions": (LOAD + PARTS, b"in", "text/csv", "text/plain"),
    "bytes": (LOAD + PARTS, b"\xff\x00", "image/png", "text/plain"),
    "bytes for a type with a parameter": (LOAD + PARTS, b"1", "text/csv; charset=utf-8", "a/b"),
    "bytes for another spelling": (LOAD + PARTS, b"1", "Text/CSV", "a/b"),
    "JSON is text": (LOAD + PARTS, "ü".encode(), "application/json", "a/b"),
    "no Accept": (LOAD + PARTS, b"1", "text/csv", ""),
    "any Accept": (LOAD + PARTS, b"1", "text/csv", "*/*"),
    "several in Accept": (LOAD + PARTS, b"1", "text/csv", "text/html;q=1, */*"),
    "transform_fn": (LOAD + TRANSFORM, b"1", "text/csv", "text/plain"),
    "transform_fn, no Accept": (LOAD + TRANSFORM, b"1", "image/png", ""),
    "answer with its type": (
        LOAD + "def transform_fn(m, b, k, a): return b'raw', 'image/png'",
        b"1",
        "text/csv",
        "text/plain",
    ),
    "output_fn with its type": (
        LOAD + PARTS + "def output_fn(p, a): return p, 'text/mine'",
        b"1",
        "text/csv",
        "text/plain",
    ),
    "context": (WITH_CONTEXT, b"1", "text/csv", "text/plain"),
    "context of transform_fn": (
        LOAD + "def transform_fn(m, b, k, a, context): return str(context.get_request_header(0, 'X-Id'))",
        b"1",
        "text/csv",
        "a/b",
    ),
    "too many parameters": (LOAD + "def transform_fn(m, b, k, a, c, d): return 'x'", b"1", "text/csv", "a/b"),
    "too few parameters": (LOAD + "def transform_fn(m): return 'x'", b"1", "text/csv", "a/b"),
    "any parameters": (LOAD + "def transform_fn(*anything): return 'x'", b"1", "text/csv", "a/b"),
    "before and after loading": (BEFORE, b"1", "text/csv", "a/b"),
    "an error of one's own": (LOAD + RAISES, b"mine", "text/csv", "a/b"),
    "a generic error": (LOAD + RAISES, b"generic", "text/csv", "a/b"),
    "any other error": (LOAD + RAISES, b"other", "text/csv", "a/b"),
    **{
        f"{what} as {accept}": (LOAD + PREDICT, what.encode(), "text/csv", accept)
        for what in ("array", "row", "list", "map", "text", "texts")
        for accept in ("application/json", "text/csv", "application/x-npy")
        if (what, accept)
        not in {
            ("list", "application/x-npy"),
            ("map", "application/x-npy"),
            ("map", "text/csv"),
            ("text", "text/csv"),
            ("list", "text/csv"),
        }
    },
    "array as the first that can be": (LOAD + PREDICT, b"array", "text/csv", "text/html, text/csv, application/json"),
    "npy": (LOAD + ARRAY, b"NPY", "application/x-npy", "application/json"),
    "npz": (
        LOAD + "def predict_fn(d, m): return [type(d).__name__, d.toarray().tolist()]",
        b"NPZ",
        "application/x-npz",
        "application/json",
    ),
}


def body_of(case: Case) -> bytes:
    stream = io.BytesIO()
    if case[1] == b"NPY":
        numpy.save(stream, numpy.array([[1.5, 2], [3, 4]]))
        return stream.getvalue()
    if case[1] == b"NPZ":
        scipy.sparse.save_npz(stream, scipy.sparse.csr_matrix([[0, 1.0], [2.0, 0]]))
        return stream.getvalue()
    return case[1]


class ToolkitContext:
    """What the model server hands to the toolkit; the parts that it asks for."""

    def __init__(self, folder: Path, headers: dict[str, str]) -> None:
        self.system_properties = {"model_dir": str(folder), "gpu_id": None}
        self.request_processor = [self]
        self._headers = headers
        self.status, self.phrase, self.content_type = 200, "", ""

    def get_request_properties(self) -> dict[str, str]:
        return self._headers

    def get_request_header(self, index: int, key: str) -> str | None:
        return self._headers.get(key)

    def set_response_content_type(self, index: int, value: str) -> None:
        self.content_type = value

    def set_response_status(self, code: int, phrase: str) -> None:
        self.status, self.phrase = code, phrase


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    def make(source: str) -> Any:
        (tmp_path / "handlers_of_a_case.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        sys.modules.pop("handlers_of_a_case", None)
        importlib.invalidate_caches()
        monkeypatch.setenv("SAGEMAKER_PROGRAM", "handlers_of_a_case.py")
        sys.dont_write_bytecode, old = True, sys.dont_write_bytecode
        try:
            return importlib.import_module("handlers_of_a_case")
        finally:
            sys.dont_write_bytecode = old

    return make


def theirs(folder: Path, body: bytes, kind: str, accept: str) -> tuple[int, str, bytes]:
    from sagemaker_inference.transformer import Transformer

    context = ToolkitContext(folder, {"Content-Type": kind, "Accept": accept, "X-Id": "7"})
    told = Transformer().transform([{"body": body}], context)[0]
    return context.status, context.content_type, told if isinstance(told, bytes) else told.encode()


def ours(module: Any, folder: Path, body: bytes, kind: str, accept: str) -> tuple[int, str, bytes]:
    handlers = Handlers(module, folder, "application/json")
    try:
        found = handlers.answer(body, kind, accept, {"Content-Type": kind, "Accept": accept, "X-Id": "7"})
    except RequestFault as fault:
        return fault.status, "", str(fault).encode()
    except Exception as fault:
        chosen = chosen_by_handler(fault) or RequestFault(500, str(fault))
        return chosen.status, "", str(chosen).encode()
    return 200, found.content_type, found.body


@pytest.mark.parametrize("name", CASES)
def test_the_same_as_the_toolkit(name: str, load: Callable[[str], Any], tmp_path: Path) -> None:
    source, _, kind, accept = CASES[name]
    request = (body_of(CASES[name]), kind, accept)
    expected = theirs(tmp_path, *request) if load(source) else None
    assert expected is not None
    found = ours(load(source), tmp_path, *request)
    if expected[0] == 200:
        assert found == expected
    else:  # the toolkit adds the traceback, and so does our server
        assert (found[0], expected[1]) == (expected[0], "")
        assert name.endswith("parameters") or found[2] == expected[2].partition(b"\n")[0]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"1,2\n3,4", "text/csv"),
        (b"1,2", "text/csv"),
        (b"1\n2", "text/csv"),
        (b"[[1, 2]]", "application/json"),
        (b"[1, 2]", "application/json"),
    ],
)
def test_decoding_differs_only_in_type_and_rows(body: bytes, kind: str) -> None:
    from sagemaker_inference import decoder

    from mlops.run.serving.handlers import decode

    expected = numpy.asarray(decoder.decode(body.decode(), kind), dtype=numpy.float32)
    found = decode(body.decode(), kind)
    assert found.dtype == numpy.float32
    expected = expected.reshape(1, -1) if expected.ndim < 2 else expected
    numpy.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("body", "kind", "accept", "status"),
    [
        (b"{", "application/json", "a/b", 400),
        (b"x", "application/xml", "a/b", 415),
        (b"\xff", "text/csv", "a/b", 400),
        (b"1,2", "text/csv", "image/png", 406),
    ],
)
def test_whose_fault_it_is(
    body: bytes, kind: str, accept: str, status: int, load: Callable[[str], Any], tmp_path: Path
) -> None:
    source = LOAD + ARRAY
    load(source)
    assert theirs(tmp_path, body, kind, accept)[0] == 500
    assert ours(load(source), tmp_path, body, kind, accept)[0] == status


def test_transform_fn_beside_the_three(load: Callable[[str], Any], tmp_path: Path) -> None:
    source = LOAD + PARTS + TRANSFORM
    module = load(source)
    status, _, told = theirs(tmp_path, b"1", "text/csv", "")
    assert status == 500 and b"Cannot use transform_fn" in told
    with pytest.raises(ValueError, match="transform_fn and input_fn, predict_fn, output_fn"):
        Handlers(module, tmp_path, "application/json")


def test_the_default_accept_of_the_container(
    load: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv")
    module = load(LOAD + PREDICT)
    expected = theirs(tmp_path, b"array", "text/csv", "*/*")
    found = Handlers(module, tmp_path, "text/csv").answer(b"array", "text/csv", "*/*", {})
    assert (200, found.content_type, found.body) == expected


def test_json_is_what_a_client_can_read(load: Callable[[str], Any], tmp_path: Path) -> None:
    _, _, body = ours(load(LOAD + PREDICT), tmp_path, b"map", "text/csv", "application/json")
    assert json.loads(body) == {"a": 1.0, "b": "x"}
