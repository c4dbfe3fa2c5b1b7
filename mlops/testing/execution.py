"""Runs a pipeline, or a part of it, in a test's local account, and reads what it left there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops.account import Account, connect
from mlops.check import check
from mlops.check.stubs import Given, given_for, left_out
from mlops.deploy.executions import following as executions
from mlops.deploy.executions.following import ExecutionState, StepState
from mlops.deploy.models import registry
from mlops.deploy.pages import items
from mlops.ir import Checked, Definition, Step, UsageError, unheard
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import LOCAL, read_project
from mlops.project.root import STATE
from mlops.testing.answers import Answers, declared_values, files_of, fitting, is_archive, refuse_unstubbable
from mlops.testing.opening import open_sound, refuse_errors
from mlops.testing.plainly import plainly
from mlops.testing.rewriting import only_step, without_steps
from mlops.testing.step_places import describe_job, input_names, output_names, output_place, report_place
from mlops.testing.stub import Stub
from mlops.use_cases import stubs as standing
from mlops.use_cases.connecting import Connected
from mlops.use_cases.given_files import MODEL, stored
from mlops.use_cases.runnable import obstacles
from mlops.use_cases.running import Chosen, Manner, begin


def empty_account(folder: Path) -> Account:
    # A folder without mlops.toml has the local environment with nothing of anybody's.
    environment = read_project(folder).environment(LOCAL)
    return connect(replace(environment, state=folder / STATE))


def end_endpoints(account: Account) -> None:
    sagemaker = account.client("sagemaker")
    for endpoint in list(items(sagemaker, "list_endpoints", "Endpoints")):
        sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution that has ended. ``steps`` are those that were reached; copies of outputs go below ``folder``."""

    status: str
    failure: str | None
    steps: Mapping[str, StepState]
    account: Account
    definition: Definition
    folder: Path

    def __repr__(self) -> str:
        told = ", ".join(f"{step.name}: {step.status}" for step in self.steps.values())
        return f"<execution {self.status}; {told or 'no step began'}>"

    @plainly
    def log(self, step: str) -> str:
        return "\n".join(executions.log_lines(self.account, self._reached(step)))

    @plainly
    def output(self, step: str, name: str) -> Path:
        """A copy: a folder for an output of a Processing step and ``output`` of a Transform, the file
        ``model.tar.gz`` for ``model`` of a Training step. Raises UsageError where the step has left nothing."""
        job = self._reached(step).job
        declared = self._declared(step)
        place = output_place(declared, name)
        if place is None:
            there = instead(name, output_names(declared), "it has")
            raise UsageError(f"step {step} has no output {name!r}{there}")
        described = describe_job(self.account.client("sagemaker"), declared, str(job))
        folder = self.folder / step / name
        if not _fetch(self.account, dict(place.uris(described)).get(name, ""), folder):
            raise UsageError(f"step {step} has left nothing in its output {name}")
        return folder / MODEL if place.is_file else folder

    @plainly
    def report(self, step: str, name: str) -> dict[str, Any]:
        output, file = report_place(self._declared(step), name)
        place = self.output(step, output) / file
        try:
            found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        except FileNotFoundError:
            there = ", ".join(sorted(path.name for path in place.parent.glob("*"))) or "nothing"
            raise UsageError(f"step {step} has left no {file} in its output {output}; it left {there}") from None
        except ValueError as error:
            raise UsageError(f"{file} in the output {output} of step {step} is no JSON: {error}") from None
        return found

    def versions(self, group: str) -> tuple[registry.Version, ...]:
        """Newest first; none where the group was never made."""
        return registry.versions(self.account, group) if group in registry.groups(self.account) else ()

    def _reached(self, step: str) -> StepState:
        if step not in self.steps:
            raise UsageError(f"step {step} did not run{instead(step, self.steps, 'these did:')}")
        return self.steps[step]

    def _declared(self, step: str) -> Step:
        self._reached(step)
        declared = self.definition.step(step)
        if declared is None:
            raise UsageError(f"there is no step {step}")
        return declared


def _fetch(account: Account, uri: str, folder: Path) -> int:
    """How many objects were copied: the one at ``uri``, or all below it."""
    bucket, key = split_uri(uri.rstrip("/"))
    s3 = account.client("s3")
    count = 0
    for item in list(items(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=key)) if key else ():
        found = str(item["Key"])
        if found != key and not found.startswith(f"{key}/"):
            continue
        target = folder / (found[len(key) + 1 :] or found.rpartition("/")[2])
        if not target.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"the object {found!r} has a name that leads out of its folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, found, str(target))
        count += 1
    return count


class Workplace:
    """One pipeline and the local account in ``folder``; relative paths begin at ``root``. Raises Refusal where the
    pipeline has errors."""

    def __init__(self, target: str | Path, folder: Path, root: Path) -> None:
        self._root = root
        self._target = str(root / target)
        self._checked, project = open_sound(self._target)
        self._folder = folder
        environment = project.environment(LOCAL)
        self._environment = replace(environment, state=folder / STATE)
        self._account = connect(self._environment)

    def run_pipeline(
        self,
        parameters: Mapping[str, str | int | float | bool],
        stubs: Mapping[str, Stub | str | Path],
        interrupt: Mapping[str, float],
    ) -> Execution:
        files, taken_out, held = {}, {}, {}
        for name, stub in stubs.items():
            if isinstance(stub, Stub) and self._step(name).blocks and not (stub.outputs or stub.metrics):
                document = {"values": dict(stub.values)}
                held[name] = given_for(self._checked, name, document, "Stub(…)")
            elif isinstance(stub, Stub):
                taken_out[name] = self._answers(self._step(name), stub)
            elif isinstance(stub, str | Path):
                files[self._step(name).name] = self._root / stub
            else:
                hint = "give mlops.testing.Stub(outputs={…}), or a file as `mlops run --stub` takes it"
                raise UsageError(f"the stub of {name} is {stub!r:.80}", hint=hint)
        checked = self._checked
        if taken_out:
            checked = self._again(without_steps(checked.definition, taken_out))
        return self._run(checked, parameters, interrupt, {**held, **standing.read(checked, files)})

    def _answers(self, step: Step, stub: Stub) -> Answers:
        refuse_unstubbable(step)
        declared, files = declared_values(step), files_of(step)
        _refuse_unknown(f"step {step.name}", "output", stub.outputs, (*files, *declared))
        given = {
            output: fitting(step, output, value)
            if output in declared
            else self._upload(self._root / str(value), step.name, output, packed=is_archive(step, output))
            for output, value in stub.outputs.items()
        }
        return Answers(step, given, stub.metrics, stub.values)

    def run_step(
        self,
        name: str,
        inputs: Mapping[str, str | Path],
        parameters: Mapping[str, str | int | float | bool],
        interrupt: Mapping[str, float],
    ) -> Execution:
        step = self._step(name)
        if step.blocks:
            raise UsageError(f"{name} is a {step.type} step, which holds others and cannot run alone")
        _refuse_unknown(f"step {name}", "input", inputs, input_names(step))
        sources = {given: self._upload(self._root / path, name, given) for given, path in inputs.items()}
        alone = only_step(self._checked.definition, step, sources, parameters)
        return self._run(self._again(alone), parameters, interrupt)

    def _step(self, name: str) -> Step:
        step = self._checked.definition.step(name)
        if step is None:
            raise UsageError(f"there is no step {name}{instead(name, self._checked.order, 'the steps are')}")
        return step

    def _again(self, definition: Definition) -> Checked:
        checked = check(definition)
        refuse_errors(checked.findings, f"what is left of {self._target}")
        return checked

    def _upload(self, given: Path, step: str, name: str, *, packed: bool = False) -> str:
        return stored(self._account, self._environment, given, step, name, packed=packed)

    def _run(
        self,
        checked: Checked,
        parameters: Mapping[str, str | int | float | bool],
        interrupt: Mapping[str, float],
        stubs: Mapping[str, Given] | None = None,
    ) -> Execution:
        given = stubs or {}
        values = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
        manner = Manner(cache=False, interruptions=interrupt, stubs=given)  # a test that says "run" means it
        connected = Connected(self._environment, self._account, self._root)
        refuse_errors(obstacles(checked, without=left_out(checked, given), values=values), self._target)
        arn = begin(Chosen(connected, checked, values), manner, unheard)
        try:
            state = executions.follow(self._account, arn)
        except BaseException:
            executions.stop(self._account, arn)
            raise
        copies = self._folder / "outputs" / state.id
        steps = {step.name: step for step in state.steps}
        return Execution(state.status, _why(state), steps, self._account, checked.definition, copies)


def _why(state: ExecutionState) -> str | None:
    """The account's own sentence names the steps that failed; what their scripts said is in the steps."""
    reasons = [f"{step.name}: {step.failure}" for step in state.steps if step.status == "Failed" and step.failure]
    told = [state.failure, *reasons] if state.failure else []
    return " ".join(told) or None


def _refuse_unknown(where: str, noun: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(f"{where} has no {noun} {name!r}{instead(name, known, 'it has')}")
