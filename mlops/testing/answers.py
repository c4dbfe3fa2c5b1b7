"""What stands for the expressions on a step that is taken out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.check.stubs import path_below
from mlops.ir import Step, UsageError, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.values import Key, RefPath
from mlops.testing.step_places import is_packed, job_of, output_names, report_place

_NEVER = ("Condition", "Fail")
"""Types of steps that stand for no work."""
_TYPES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Boolean": (bool,),
    "Integer": (int,),
    "Float": (float, int),
}
_MODEL = "model"


@dataclass(frozen=True, slots=True)
class Answers:
    """``outputs`` are S3 URIs, or values that the step declares, by name; ``values`` by the path that is read."""

    step: Step
    outputs: Mapping[str, str | int | float | bool]
    metrics: Mapping[str, float]
    values: Mapping[str, str | int | float | bool]

    @property
    def model(self) -> Value:
        """Of a Tuning. Raises UsageError where it was not given."""
        return self._need(f"the output {_MODEL}", self.outputs.get(_MODEL))

    def of(self, path: RefPath) -> Value:
        """Raises UsageError where nothing was given."""
        read = path_below(path)
        if read in self.values:
            return self.values[read]
        match path.segments:
            case segments if (output := _output_read(self.step, segments)) is not None:
                return self._need(f"the output {output}", self.outputs.get(output))
            case ("OutputParameters", Key(text=output)):
                return self._need(f"the output {output}", self.outputs.get(output))
            case ("PropertyFiles", str() as report):
                output, file = report_place(self.step, report)
                found = self.outputs.get(output)
                return self._need(f"the output {output}", None if found is None else f"{found}/{file}")
            case ("FinalMetricDataList", Key(text=metric), "Value"):
                return self._need(f"the metric {metric}", self.metrics.get(metric))
        return self._need(f"values={{{read!r}: …}}", None)

    def _need(self, name: str, found: str | int | float | bool | None) -> Value:
        if found is None:
            raise UsageError(f"the stub of {self.step.name} lacks what other steps read: {name}")
        return found


def is_job_name(path: RefPath) -> bool:
    """Whether the name of one of a tuning's jobs is read."""
    return path.segments[:1] in (("BestTrainingJob",), ("TrainingJobSummaries",)) and (
        path.segments[-1] == "TrainingJobName"
    )


def declared_values(step: Step) -> tuple[str, ...]:
    """Names of what a Lambda or Callback step gives."""
    return tuple(_declared(step))


def files_of(step: Step) -> tuple[str, ...]:
    """Names of what is given as a file or folder."""
    return output_names(step) or ((_MODEL,) if is_tuning(step) else ())


def is_archive(step: Step, output: str) -> bool:
    return is_packed(step, output) or is_tuning(step)


def is_tuning(step: Step) -> bool:
    job = job_of(step)
    return job is not None and job.name == "HyperParameterTuningJob"


def refuse_unstubbable(step: Step) -> None:
    """Raises UsageError for a step that decides, ends or holds others."""
    if step.type in _NEVER or step.blocks:
        raise UsageError(
            f"a step of type {step.type} cannot be stubbed: {step.name} does no work of its own",
            hint="stub the steps that it reads or holds; a file of JSON can say how a Condition or a ForEach ends",
        )


def fitting(step: Step, output: str, given: Any) -> str | int | float | bool:
    """A value of the type that the step declares. Raises UsageError for another."""
    wanted = _declared(step)[output]
    value: str | int | float | bool = given
    if not isinstance(value, _TYPES.get(wanted, (str,))) or (isinstance(value, bool) and wanted != "Boolean"):
        raise UsageError(f"the output {output} of {step.name} is of type {wanted}; the stub gives {value!r}")
    return value


def _declared(step: Step) -> dict[str, str]:
    """Types by name."""
    listed: Any = step.members.get("OutputParameters") or ()
    return {
        str(item["OutputName"]): str(item.get("OutputType", "String"))
        for item in listed
        if isinstance(item, Mapping) and "OutputName" in item
    }


def _output_read(step: Step, segments: tuple[object, ...]) -> str | None:
    job = job_of(step)
    places = job.outputs if job is not None else ()
    known = output_names(step)
    found = next((name for place in places if (name := place.named_by(segments)) is not None), None)
    return found if found in known else None
