"""Container images by framework: ``image.sklearn("1.2-1")``.

Which URI that is depends on the region and the instance; it is looked up when the pipeline is compiled, in
``mlops.lock`` or in the SageMaker SDK's data. Any other image is given as a string.
"""

from __future__ import annotations

from inspect import isfunction
from typing import Any

from mlops.declare.misuse import misuse
from mlops.declare.references import Poison
from mlops.declare.shown import shown
from mlops.declare.unknown_names import behind_a_dot, told_arguments, unknown_name
from mlops.project.images import ImageRequest


@told_arguments
def sklearn(version: str) -> ImageRequest:
    """SageMaker's scikit-learn container, e.g. ``1.2-1``."""
    return _request("sklearn", version)


@told_arguments
def xgboost(version: str) -> ImageRequest:
    """SageMaker's XGBoost container, e.g. ``1.7-1``."""
    return _request("xgboost", version)


@told_arguments
def pytorch(version: str, python: str | None = None) -> ImageRequest:
    """``python`` as SageMaker writes it, e.g. ``py311``; needed where a version has several."""
    return _request("pytorch", version, python)


@told_arguments
def tensorflow(version: str, python: str | None = None) -> ImageRequest:
    """``python`` as SageMaker writes it, e.g. ``py310``; needed where a version has several."""
    return _request("tensorflow", version, python)


@told_arguments
def framework(name: str, version: str | None = None, python: str | None = None) -> ImageRequest:
    """Any other framework or built-in algorithm that the SDK's data know, e.g. ``framework("linear-learner")``."""
    return _request(name, version, python)


def _request(name: str, version: str | None, python: str | None = None) -> ImageRequest:
    for what, given in (("framework", name), ("version", version), ("python", python)):
        if not isinstance(given, str) and (given is not None or what == "framework"):
            help = f'write it as a string: "{given}"' if isinstance(given, int | float) else None
            help = help or 'e.g. image.sklearn("1.2-1")'
            if not isinstance(given, Poison):
                misuse("D042", f"image: {what} should be a string; it is {shown(given)}", help=help)
            return Poison()  # type: ignore[return-value]
    return ImageRequest(name, version, python)


def __getattr__(name: str) -> Any:
    """A name that is not here, told with all other mistakes of a file."""
    own = {key: item for key, item in globals().items() if isfunction(item) and item.__module__ == __name__}
    return unknown_name("image", name, own, own.__getitem__)


behind_a_dot(__name__)
