"""What a pipeline asks of the layers above the language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from mlops.ports import Port

if TYPE_CHECKING:
    from mlops.declare.pipeline import Execution, Given, Pipeline


class Notebook(Protocol):
    """What shows a pipeline and runs it here."""

    def html(self, pipeline: Pipeline) -> str: ...

    def svg(self, pipeline: Pipeline) -> str: ...

    def text(self, pipeline: Pipeline) -> str: ...

    def run(self, pipeline: Pipeline, parameters: Mapping[str, Given], *, cache: bool) -> Execution: ...


NOTEBOOK: Port[Notebook] = Port("notebook")
