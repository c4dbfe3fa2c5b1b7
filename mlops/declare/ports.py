"""What a pipeline asks of the layers above the language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from mlops.ports import Port

if TYPE_CHECKING:
    from mlops.declare.driven import Planned, Started, Upserted
    from mlops.declare.pipeline import Execution, Given, Pipeline
    from mlops.ir import Finding


class Notebook(Protocol):
    """What shows a pipeline and runs it here."""

    def html(self, pipeline: Pipeline) -> str: ...

    def svg(self, pipeline: Pipeline) -> str: ...

    def text(self, pipeline: Pipeline) -> str: ...

    def run(self, pipeline: Pipeline, parameters: Mapping[str, Given], *, cache: bool) -> Execution: ...


class Program(Protocol):
    """What a program does with a pipeline."""

    def definition(self, pipeline: Pipeline, environment: str) -> str: ...

    def check(self, pipeline: Pipeline, environment: str) -> tuple[Finding, ...]: ...

    def plan(self, pipeline: Pipeline, environment: str) -> Planned: ...

    def upsert(self, pipeline: Pipeline, environment: str, *, yes: bool, force: bool) -> Upserted: ...

    def start(
        self, pipeline: Pipeline, environment: str, parameters: Mapping[str, Given], *, cache: bool, yes: bool
    ) -> Started: ...


NOTEBOOK: Port[Notebook] = Port("notebook")
PROGRAM: Port[Program] = Port("program")
