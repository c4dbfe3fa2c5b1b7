"""Container images by framework: ``image.sklearn("1.2-1")``.

Which URI that is depends on the region and the instance; it is looked up when the pipeline is compiled, in
``mlops.lock`` or in the SageMaker SDK's data. Any other image is given as a string.
"""

from __future__ import annotations

from mlops.project.images import ImageRequest


def sklearn(version: str) -> ImageRequest:
    """SageMaker's scikit-learn container, e.g. ``1.2-1``."""
    return ImageRequest("sklearn", version)


def xgboost(version: str) -> ImageRequest:
    """SageMaker's XGBoost container, e.g. ``1.7-1``."""
    return ImageRequest("xgboost", version)


def pytorch(version: str, python: str | None = None) -> ImageRequest:
    """``python`` as SageMaker writes it, e.g. ``py311``; needed where a version has several."""
    return ImageRequest("pytorch", version, python)


def tensorflow(version: str, python: str | None = None) -> ImageRequest:
    """``python`` as SageMaker writes it, e.g. ``py310``; needed where a version has several."""
    return ImageRequest("tensorflow", version, python)


def framework(name: str, version: str | None = None, python: str | None = None) -> ImageRequest:
    """Any other framework or built-in algorithm that the SDK's data know, e.g. ``framework("linear-learner")``."""
    return ImageRequest(name, version, python)
