"""How an execution runs on this machine, beyond what StartPipelineExecution can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from mlops.ir.dataclass import dataclass
from mlops.ir.stub import Stub


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Without ``use_cache`` every step runs, also where an earlier result would serve. ``interruptions`` are the
    seconds for which steps of managed spot training lose their instances once. ``stubs`` are
    by steps that are not to run."""

    use_cache: bool = True
    interruptions: Mapping[str, float] = field(default_factory=dict)
    stubs: Mapping[str, Stub] = field(default_factory=dict)


AS_THERE = RunOptions()
"""As the service would run it."""
