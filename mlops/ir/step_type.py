"""All that is known of one type of step. Each is made in ``declare/steps/<type>.py`` and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StepType:
    """Shape names are botocore's, of service ``service``.

    - ``request``: the shape that ``Arguments`` mirrors, None where Arguments are the step type's own.
    - ``omits``: request members that the service supplies and the document leaves out.
    - ``response``: the shape that ``Steps.X.<path>`` walks, None where nothing can be read.
    - ``extra_response``: readable members that the response shape lacks, each with its shape name, or None for "any
      scalar".
    - ``parsed_text``: those of them that are JSON texts, inside which a path may go on.
    - ``keyed``: lists that a path may index by name: dotted path of the list -> member that holds an item's name.
    - ``producers``: same lists, dotted path in the response -> dotted path in the request of the member that declares
      an item's name, e.g. ``ProcessingOutputConfig.Outputs`` -> ``ProcessingOutputConfig.Outputs.OutputName``.
    - ``envelope``: step members allowed besides Name, Type, Arguments, DependsOn, DisplayName and Description.
    - ``blocks``: arguments that hold nested steps.
    - ``cache_keys``: dotted arguments that decide whether an earlier result serves again; empty: never cached.
    - ``states_resource``: Step Functions' resource ARN for it.
    - ``action``: the module of ``mlops.run.actions`` that runs it here.
    - ``dependable``: other steps may name it in DependsOn.
    """

    type: str
    service: str = "sagemaker"
    request: str | None = None
    omits: frozenset[str] = frozenset()
    response: str | None = None
    extra_response: Mapping[str, str | None] = field(default_factory=dict)
    parsed_text: frozenset[str] = frozenset()
    keyed: Mapping[str, str] = field(default_factory=dict)
    producers: Mapping[str, str] = field(default_factory=dict)
    envelope: frozenset[str] = frozenset()
    blocks: tuple[str, ...] = ()
    cache_keys: tuple[str, ...] = ()
    states_resource: str | None = None
    action: str | None = None
    dependable: bool = True
