"""PackModel: put inference code into a trained model's archive, as a step that everybody sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from typing_extensions import Unpack

from mlops.declare.references import DataReference, ModelReference
from mlops.declare.run_time_texts import join
from mlops.declare.shipped import pack_model
from mlops.declare.steps.processing import CODE, INPUT_FOLDER, Processing, script_input
from mlops.declare.steps.shared_arguments import VOLUME_GB, Count, Image, Job, Text, Trained
from mlops.ir import Unknown, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["PackModel"]

SCRIPT: Final = Path(pack_model.__file__)


class PackedModel(ModelReference):
    """The S3 URI of a ``model.tar.gz`` that PackModel made."""

    noun = "a packed model"

    def __init__(self, step: str, folder: DataReference) -> None:
        super().__init__(step, "ProcessingOutputConfig.Outputs['packed'].S3Output.S3Uri")
        self._uri = join(folder, pack_model.ARCHIVE, on="/")

    def lower(self) -> Value:
        return self._uri.lower()


class PackModel(Processing):
    """A Processing step that puts ``inference_code`` (a script or a folder) into ``code/`` of ``model.tar.gz``.

    Where the training script can put it there itself, no such step is needed. ``volume`` is in GB."""

    def __init__(
        self,
        name: str,
        *,
        model: Trained,
        inference_code: str,
        image: Image,
        instance: Text | None = None,
        volume: Count = VOLUME_GB,
        **shared: Unpack[Job],
    ) -> None:
        super().__init__(
            name,
            image=image,
            inputs={"model": model},
            outputs=["packed"],
            instance=instance,
            volume=volume,
            **shared,
        )
        self.inference_code = inference_code

    @property
    def model(self) -> ModelReference:
        """The S3 URI of the packed ``model.tar.gz``."""
        return PackedModel(self.name, self.outputs["packed"])

    def _code(self, lowering: Lowering) -> tuple[Value, tuple[Value, ...]]:
        source = lowering.source(self.inference_code, step=self, what="inference_code")
        inference = source and lowering.asset(source, step=self)
        if not inference:
            return Unknown(), ()
        script = lowering.asset_of(((SCRIPT.name, SCRIPT),), step=self)
        inputs = (
            script_input(f"{inference.uri}/", "inference", lowering, self),
            script_input(f"{script.uri}/", CODE, lowering, self),
        )
        return ("python3", f"{INPUT_FOLDER}/{CODE}/{SCRIPT.name}"), inputs
