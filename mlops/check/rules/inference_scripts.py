"""What an inference script defines and loads, against its toolkit and against what the training script saves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from mlops.check.handlers import handlers, sources
from mlops.check.named_images import named_image
from mlops.check.rule import Fault, rule
from mlops.check.saved_files import MODEL_FN, called, loads, saved, words
from mlops.check.script_reads import below
from mlops.check.script_texts import Texts
from mlops.check.scripts import Script, scripts
from mlops.check.serving import training_of
from mlops.check.subject import Subject, literal_texts
from mlops.ir import Severity, Value
from mlops.project.python_files import parsed

_WITHOUT_DEFAULT = ("sagemaker-scikit-learn", "sagemaker-xgboost")
"""Repositories whose toolkit loads no model by itself: that of PyTorch, Hugging Face and MXNet has a default."""


@rule(
    "X974",
    "no-model-function",
    Severity.WARNING,
    source="sagemaker-scikit-learn-container, sagemaker-xgboost-container: default_model_fn raises NotImplementedError",
)
def no_model_function(subject: Subject) -> Iterator[Fault]:
    """An inference script in an image of scikit-learn or XGBoost has no ``model_fn``: those toolkits have no default
    for it, and the model does not come up.

    Bad:  inference.py with predict_fn alone
    Good: inference.py with "def model_fn(model_dir): return joblib.load(...)"
    """
    for handler in handlers(subject):
        image = named_image(subject, handler.container.image)
        if image is None or image.repository not in _WITHOUT_DEFAULT:
            continue
        tree = parsed(handler.file)
        if tree is not None and not _may_have(tree, MODEL_FN):
            message = f"{handler.file.name} has no {MODEL_FN}, and {image.repository} loads no model without it"
            help_text = f"define {MODEL_FN}(model_dir), which returns the model"
            yield Fault(handler.at, message, help_text, handler.container.placed)


def _may_have(tree: ast.Module, wanted: str) -> bool:
    """Whether it binds that name, anywhere, or takes over the names of others."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found = name == wanted
            case ast.alias(name=name, asname=other):
                found = "*" in name or (other or name) == wanted
            case ast.Name(id=name):
                found = name in (wanted, "exec", "globals", "setattr")
            case _:
                continue
        if found:
            return True
    return False


@rule(
    "X975",
    "loads-another-file",
    Severity.WARNING,
    source="AWS docs: what a training script leaves in SM_MODEL_DIR is what model_fn finds in its folder",
)
def loads_another_file(subject: Subject) -> Iterator[Fault]:
    """An inference script loads a file from the model's folder which the training script does not save: the model does
    not come up. Told where both texts are here, and all that the training script saves has a name that is written out.

    Bad:  joblib.load(Path(model_dir, "model.pkl")), where train.py saves model.joblib
    Good: joblib.load(Path(model_dir, "model.joblib"))
    """
    for handler in handlers(subject):
        found = sources(subject, handler.training) if handler.training is not None else None
        tree = parsed(handler.file)
        if found is None or tree is None:
            continue
        kept = _kept(*found)
        for name, line in loads(tree) if kept else ():
            if kept and name not in kept[1]:
                files = ", ".join(sorted(file for file in kept[0] if not file.endswith(".py"))) or "other files"
                message = f"{handler.file.name}:{line} loads {name}, and {found[0].name} saves {files}"
                yield Fault(handler.at, message, "use one name for both", handler.container.placed)


def _kept(program: Path, beside: tuple[Path, ...]) -> tuple[frozenset[str], frozenset[str]] | None:
    """The names of what a training saves, and with them every text that may be one; None where that may be more."""
    trees = [parsed(file) for file in beside]
    tree = parsed(program)
    names = saved(tree) if tree is not None else None
    if not names:
        return None
    said: set[str] = set()
    for other in trees:
        if other is None:
            return None
        said |= {word.rpartition("/")[2] for word in words(other)}
    files = frozenset(name for name in names if "." in name)
    return files, names | {word for word in said if "." in word and len(word) < 64 and " " not in word}


_SAVES = re.compile(r"save_model|save_weights|save_pretrained|to_onnx")
_OF_MODELS = {"dump": ("joblib", "pickle", "cloudpickle", "dill"), "save": ("torch", "model", "net", "network")}
_ELSEWHERE = re.compile(
    r"/opt/ml/model\b|model[-_]dir|sm_model|boto3|mlflow|s3:|s3fs|upload|import sagemaker|subprocess|chdir"
)
_UPLOADED = ("/opt/ml/output", "/opt/ml/checkpoints")


@rule(
    "X976",
    "model-not-kept",
    Severity.WARNING,
    source="AWS docs: your-algorithms-training-algo-output; what is in /opt/ml/model becomes model.tar.gz",
)
def model_not_kept(subject: Subject) -> Iterator[Fault]:
    """A training script saves its model outside of /opt/ml/model, and names that folder nowhere: it is lost with the
    container, and the model's archive is empty.

    Bad:  joblib.dump(model, "model.joblib")
    Good: joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
    """
    for script in scripts(subject):
        if script.member is None or script.file is None or not script.name.endswith(".py") or _says_where(script):
            continue
        tree = parsed(script.file)
        for path, line in _models(tree) if tree is not None else ():
            goes_elsewhere = any(below(path, folder) for folder in _UPLOADED)
            if "://" in path or below(path, "/opt/ml/model") or (goes_elsewhere and not _is_served(subject, script)):
                continue
            message = f"{script.name}:{line} saves its model in {path}, which is not kept as the model"
            help_text = 'save it below os.environ["SM_MODEL_DIR"], which is /opt/ml/model'
            yield Fault(script.at, message, help_text, script.placed)
            break


def _says_where(script: Script) -> bool:
    """In its sources, or in what its job gives it: the folder of the model, or another way out of the container."""
    request = script.job.request
    given = literal_texts((request.get(script.member or ""), request.get("Environment")), "")
    texts = [_beside_model_fn(file) for name, file in script.files.items() if name.endswith((".py", ".sh"))]
    return any("/opt/ml/model" in text for _, text in given) or any(_ELSEWHERE.search(text.lower()) for text in texts)


def _beside_model_fn(file: Path) -> str:
    """A file's text without the function whose folder is given to it."""
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    tree = parsed(text) if MODEL_FN in text else None
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.FunctionDef) and node.name == MODEL_FN:
            text = text.replace(ast.get_source_segment(text, node) or MODEL_FN, "")
    return text


def _models(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Where models are saved to, with the lines."""
    texts = Texts(tree)
    opened = {
        item.optional_vars.id: item.context_expr
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        if _SAVES.fullmatch(called(node)) is None and owner not in _OF_MODELS.get(called(node), ()):
            continue
        for given in (*node.args, *(item.value for item in node.keywords)):
            place = opened.get(given.id, given) if isinstance(given, ast.Name) else given
            if isinstance(place, ast.Call) and called(place) == "open" and place.args:
                place = place.args[0]
            path = texts.of(place)
            if path:
                yield path, node.lineno
                break


def _is_served(subject: Subject, script: Script) -> bool:
    """Whether the pipeline takes the model of that job."""
    values: Iterator[Value] = (container.settings.get("ModelDataUrl") for container in subject.serving)
    return any(training_of(subject, value) is script.placed for value in values)
