"""All that is known of one type of step. Each is made in ``declare/steps/<type>.py`` and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from mlops.ir.dataclass import dataclass
from mlops.ir.job_kind import JobKind
from mlops.ir.shape_notation import ShapeNotation


@dataclass(frozen=True, slots=True)
class Awaited:
    """How Step Functions learns that something is over for which its resource does not wait: by the action
    ``describe``, which is asked by the member ``ask``, with what the reply to the request has as ``told`` or else with
    the name that was given. ``status`` is the member that says it, ``done`` and ``under_way`` are its values; any other
    is a failure. Members that are the ``same`` as in the request have to be."""

    describe: str
    ask: str
    status: str
    done: tuple[str, ...]
    under_way: tuple[str, ...]
    told: str | None = None
    same: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepType:
    """Shape names are botocore's, of service ``service``.

    - ``request``: the shape that ``Arguments`` mirrors, None where Arguments are the step type's own.
    - ``arguments``: their shape then (:mod:`mlops.ir.shape_notation`), None where nothing is asked of them.
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
    - ``states_resource``: Step Functions' resource ARN for it; ``awaited``: how it is waited for, where that does not;
      ``not_in_states``: why it has none, as a clause.
    - ``action``: the module of ``mlops.run.actions`` that runs it here.
    - ``dependable``: other steps may name it in DependsOn.
    - ``job``: the kind of job that it starts, None where it starts none.
    - ``boxed``: its action starts a command, though no job.
    - ``made``: the request's member that names what it makes, of a step that starts no job.
    - ``permissions``: actions that the pipeline's role needs for it, None where nobody knows.
    """

    type: str
    service: str = "sagemaker"
    request: str | None = None
    arguments: ShapeNotation | None = None
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
    awaited: Awaited | None = None
    not_in_states: str | None = None
    action: str | None = None
    dependable: bool = True
    job: JobKind | None = None
    boxed: bool = False
    made: str | None = None
    permissions: tuple[str, ...] | None = None

    @property
    def name_member(self) -> str | None:
        """The request's member that names what the step makes; the service appends to what a definition gives there."""
        return self.job.name_member if self.job is not None else self.made

    @property
    def opens(self) -> bool:
        """Is it one command in one place on this machine?"""
        return self.action is not None and self.job is not None and self.job.opens

    @property
    def is_boxed(self) -> bool:
        """Here it runs in a sandbox."""
        return self.boxed or (self.job is not None and self.job.boxed)
