"""Steps that do something, as states: a call that waits, or a call, a look and a wait."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlops.emit.states.jsonata import (
    DATA,
    Unspelled,
    Words,
    braces,
    expression,
    file_path,
    kept,
    literal,
    merged,
    name,
    obj,
    path,
    spelled,
    within,
)
from mlops.emit.states.retrying import FOR_S3, Again, retries
from mlops.emit.states.scopes import Scope
from mlops.ir import Checked, Join, JsonGet, Ref, Step, StepType, Value
from mlops.ir.members import get
from mlops.ir.step_type import Awaited
from mlops.ir.values import Key, RefPath, refs

PAUSE_SECONDS = 30
"""Between two looks at what does not wait by itself: an execution's history has room for 25,000 events."""
_ID_LENGTH = 12
_TAIL = 9
"""What tries and iterations add to a name."""
_NAME_LIMIT = 63
_LONGEST_STATE = 80
_REASON_LENGTH = 1024
_PARTITION = "arn:{}:states:::"
_NOUN = re.compile(r"(Create)(\w+)(Input|Request)")
_SUMMARIES = "TrainingJobSummaries"
_LAMBDA_SECONDS = 600
_TRY = "$states.context.Execution.RedriveCount & 'r' & $states.context.State.RetryCount"
"""A job that failed has its name for good: tried again it is another one's."""


class Tasks:
    def __init__(self, checked: Checked, partition: str, handled: frozenset[str]) -> None:
        """``handled`` are steps whose failure others wait for."""
        self._checked = checked
        self._definition = checked.definition
        self._prefix = _PARTITION.format(partition)
        self.handled = handled
        self.notes: list[str] = []
        self._kept: dict[str, set[str]] = {}
        for placed in self._definition.placed():
            for _, ref in refs({"a": placed.step.arguments, "m": placed.step.members}):
                self._keep(ref)

    # What is asked of it by who lays out the graph.

    def step(self, step: Step, then: str, scope: Scope) -> str:
        """The state in which it begins. Raises Unspelled."""
        known = self._checked.type_of(step)
        first, asked = self.reading(step, scope)
        match step.type:
            case "Fail":
                self._fail(step, scope)
            case "Lambda":
                self._lambda(step, then, scope)
            case "Callback":
                self._callback(step, then, scope)
            case "EMR":
                self._emr(step, then, scope)
            case _ if known is not None and known.states_resource is not None:
                first = self._call(step, known, then, scope, first)
            case _:
                raise Unspelled(_WHY.get(step.type, "Step Functions has nothing that does it as the service does"))
        asked(step.name)
        return first

    def words(self, step: Step, job_name: str | None = None) -> Words:
        def reads(wanted: JsonGet) -> str:
            return self._label(step, wanted)

        def keyed(of: str) -> Mapping[str, str]:
            there = self._definition.step(of)
            known = self._checked.type_of(there) if there is not None else None
            return known.keyed if known is not None else {}

        return Words(self._definition, keyed, reads, job_name)

    def plain(self, value: Value) -> str:
        return expression(value, Words(self._definition, lambda step: {}, lambda wanted: ""))

    def is_read(self, step: str) -> bool:
        """Something of it is read."""
        return bool(self._kept.get(step))

    def recorded(self, step: Step, members: Mapping[str, str]) -> str:
        """The data with what is known of a step that has ended."""
        return braces(within("Steps", obj({step.name: obj(members)})))

    def caught(self, what: str, scope: Scope) -> Mapping[str, Any]:
        """A failure inside of something ends that; at the top it ends the machine, with its own words."""
        if not scope.inner:
            return {}
        return {"Catch": [_catcher(_noted("Failed", what, scope), scope.end)]}

    def reading(self, step: Step, scope: Scope) -> tuple[str, Callable[[str], None]]:
        """Reads the files that a step asks for. The state in which that begins, and what is to be told which state
        comes behind."""
        wanted = dict[str, JsonGet]()
        for item in _json_gets(step.arguments):
            wanted.setdefault(self._label(step, item), item)
        if not wanted:
            return step.name, lambda then: None
        states = [f"{step.name} reads{f' {number}' if number > 1 else ''}" for number in range(1, len(wanted) + 1)]

        def behind(then: str) -> None:
            for state, (label, item), after in zip(states, wanted.items(), (*states[1:], then), strict=True):
                scope.states[state] = self._read(step, label, item, scope, after)

        return states[0], behind

    def items(self, step: Step) -> Any:
        listed = get(step.arguments, "IterableItems")
        words = self.words(step)
        if isinstance(listed, tuple):
            return [spelled(item, words) for item in listed]
        found = expression(listed, words)
        return braces(f"$type({found}) = 'string' ? $parse({found}) : {found}")

    def looped(self, step: Step, body: Sequence[str]) -> str:
        """The data behind a loop."""
        wanted = self._kept.get(step.name, set())
        count = "$count($states.result)"
        told = {
            "Status": "'Succeeded'",
            "InputItemCount": count,
            "TotalStepCount": f"{len(body)} * {count}",
            "SucceededStepCount": f"{len(body)} * {count}",
            "FailedStepCount": "0",
            "StoppedStepCount": "0",
            "IterationOutputs": "[$states.result.Steps.{" + ", ".join(f"{literal(i)}: {name(i)}" for i in body) + "}]",
        }
        found = {member: told[member] for member in told if member in wanted}
        if "Selected" in wanted:
            found["Selected"] = self._selected(step, body)
        gathered = {
            "Steps": f"$merge([{DATA}.Steps, {obj({step.name: obj(found)})}])",
            "Failed": "$merge($states.result.Failed)",
        }
        return braces(merged(obj(gathered)))

    # Kinds of steps.

    def _call(self, step: Step, known: StepType, then: str, scope: Scope, first: str) -> str:
        resource = known.states_resource or ""
        service, api = resource.removeprefix("arn:aws:states:::").rsplit(":", 1)
        member = _name_member(known)
        arguments = step.arguments if isinstance(step.arguments, Mapping) else {}
        named = ""
        if member is not None and not (known.type == "RegisterModel" and "ModelPackageGroupName" in arguments):
            given = arguments.get(member)
            whole = given is not None and known.type in _NAMED_BY_AUTHORS
            named = expression(given, self.words(step)) if whole else self._name(step, known, given, scope)
        words = self.words(step, named or None)
        # A list of nothing is none: a pipeline takes it, and InputDataConfig asks for one item at least.
        asked = {key: value for key, value in arguments.items() if key != member and value != ()}
        request = spelled(asked, words)
        if named and member is not None:
            request = {member: _as_text(named), **request}
        wanted = self._kept.get(step.name, set())
        summaries = _SUMMARIES in wanted and _SUMMARIES in known.extra_response
        strange = sorted(wanted & {item.partition(".")[0] for item in known.extra_response} - {_SUMMARIES})
        if strange:
            raise Unspelled(f"{', '.join(strange)} of it is told to pipelines alone")
        state: dict[str, Any] = {"Type": "Task", **_comment(step), "Resource": f"{self._prefix}{service}:{api}"}
        state["Arguments"] = request
        state["Retry"] = retries(step)
        behind = f"{step.name}: trainings" if summaries else then
        if api.endswith(".sync"):
            state["Output"] = self.recorded(step, _members(wanted - {_SUMMARIES}, "$states.result"))
        elif known.awaited is not None:
            behind = self._awaited(step, known.awaited, wanted, then, scope)
            made = f"$states.result.{known.awaited.told}" if known.awaited.told is not None else named
            state["Output"] = braces(merged(obj({"Made": made})))
        else:
            told = {member: named} if member is not None and named else {}
            rest = wanted - {*told}
            if rest:
                behind = self._described(step, known, member or "", named, wanted, then, scope)
            state["Output"] = self.recorded(step, told)
        state["Next"] = behind
        if Again.keys(step):
            state["Catch"] = Again(step).write(
                scope, self._lost(step, f"{step.name}: has failed", f"{DATA}.Trouble", then, scope)
            )
        else:
            state.update(self._failing(step, then, scope))
        scope.states[step.name] = state
        if summaries:
            self._summaries(step, then, scope)
        if known.type == "RegisterModel" and "ModelPackageGroupName" in arguments:
            first = self._group(step, request["ModelPackageGroupName"], scope, first)
        if known.type == "Endpoint" and arguments.get("EndpointName") is not None:
            first = self._updated(step, state, request, behind, scope, first)
        return first

    def _awaited(self, step: Step, awaited: Awaited, wanted: set[str], then: str, scope: Scope) -> str:
        looks, over, pause = (f"{step.name}: {what}" for what in ("looks", "is it over", "waits"))
        known = _members(wanted, "$states.result")
        status = f"{DATA}.Seen.{awaited.status}"
        scope.states[looks] = {
            "Type": "Task",
            "Resource": f"{self._prefix}aws-sdk:sagemaker:{awaited.describe}",
            "Arguments": {awaited.ask: braces(f"{DATA}.Made")},
            "Retry": retries(None),
            "Output": braces(
                merged(
                    obj(
                        {
                            "Steps": f"$merge([{DATA}.Steps, {obj({step.name: obj(known)})}])",
                            "Seen": obj(_members({awaited.status, "FailureReason", *awaited.same}, "$states.result")),
                        }
                    )
                )
            ),
            **self._failing(step, then, scope),
            "Next": over,
        }
        done = f"{status} in [{', '.join(map(literal, awaited.done))}]"
        for member in awaited.same:
            value = get(step.arguments, member)
            done += f" and {DATA}.Seen.{member} = {expression(value, self.words(step))}"
        told = obj({"Error": "'StepFailed'", "Cause": f"{status} & ' ' & {DATA}.Seen.FailureReason"})
        lost = self._lost(step, f"{step.name}: did not come", told, then, scope)
        scope.states[over] = {
            "Type": "Choice",
            "Choices": [
                {"Condition": braces(done), "Next": then},
                {"Condition": braces(f"{status} in [{', '.join(map(literal, awaited.under_way))}]"), "Next": pause},
            ],
            "Default": lost,
        }
        scope.states[pause] = {"Type": "Wait", "Seconds": PAUSE_SECONDS, "Next": looks}
        return looks

    def _described(
        self, step: Step, known: StepType, member: str, named: str, wanted: set[str], then: str, scope: Scope
    ) -> str:
        """What is told of what is made at once."""
        looks = f"{step.name}: looks"
        noun = _noun(known)
        made = f"{DATA}.Steps.{name(step.name)}.{member}"
        scope.states[looks] = {
            "Type": "Task",
            "Resource": f"{self._prefix}aws-sdk:sagemaker:describe{noun}",
            "Arguments": {member: braces(made)},
            "Retry": retries(None),
            "Output": self.recorded(step, _members(wanted, "$states.result")),
            **self._failing(step, then, scope),
            "Next": then,
        }
        return looks

    def _summaries(self, step: Step, then: str, scope: Scope) -> None:
        """Best first, as pipelines read them."""
        objective = get(step.arguments, "HyperParameterTuningJobConfig", "HyperParameterTuningJobObjective", "Type")
        if objective not in ("Maximize", "Minimize"):
            raise Unspelled("which of its jobs is the best, depends on an objective that only a run knows")
        mine = f"{DATA}.Steps.{name(step.name)}"
        label = "HyperParameterTuningJobName"
        self._also(step, scope, label)
        scope.states[f"{step.name}: trainings"] = {
            "Type": "Task",
            "Resource": f"{self._prefix}aws-sdk:sagemaker:listTrainingJobsForHyperParameterTuningJob",
            "Arguments": {
                label: braces(f"{mine}.{label}"),
                "SortBy": "FinalObjectiveMetricValue",
                "SortOrder": "Descending" if objective == "Maximize" else "Ascending",
                "MaxResults": 50,
            },
            "Retry": retries(None),
            "Output": self.recorded(step, {"x": "0"}).replace(
                obj({"x": "0"}), f"$merge([{mine}, {{'{_SUMMARIES}': $states.result.{_SUMMARIES}}}])"
            ),
            **self._failing(step, then, scope),
            "Next": then,
        }

    def _also(self, step: Step, scope: Scope, member: str) -> None:
        wanted = {*self._kept.get(step.name, set()), member} - {_SUMMARIES}
        scope.states[step.name]["Output"] = self.recorded(step, _members(wanted, "$states.result"))

    def _group(self, step: Step, group: Any, scope: Scope, first: str) -> str:
        """Pipelines make the group where there is none."""
        there, makes = f"{step.name}: group", f"{step.name}: makes the group"
        if len(makes) > _LONGEST_STATE:
            makes = f"{step.name}: makes group"
        scope.states[there] = {
            "Type": "Task",
            "Resource": f"{self._prefix}aws-sdk:sagemaker:describeModelPackageGroup",
            "Arguments": {"ModelPackageGroupName": group},
            "Output": braces(DATA),
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": braces(DATA), "Next": makes}],
            "Next": first,
        }
        scope.states[makes] = {
            "Type": "Task",
            "Resource": f"{self._prefix}aws-sdk:sagemaker:createModelPackageGroup",
            "Arguments": {"ModelPackageGroupName": group},
            "Output": braces(DATA),
            **self.caught(step.name, scope),
            "Next": first,
        }
        return there

    def _updated(
        self, step: Step, create: Mapping[str, Any], request: Mapping[str, Any], looks: str, scope: Scope, first: str
    ) -> str:
        """One of that name may be there; then it is updated, as in a pipeline."""
        there, updates = f"{step.name}: is it there", f"{step.name}: updates"
        scope.states[there] = {
            "Type": "Task",
            "Resource": f"{self._prefix}aws-sdk:sagemaker:describeEndpoint",
            "Arguments": {"EndpointName": request["EndpointName"]},
            "Output": braces(DATA),
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": braces(DATA), "Next": first}],
            "Next": updates,
        }
        changed = {key: value for key, value in request.items() if key != "Tags"}
        resource = f"{self._prefix}aws-sdk:sagemaker:updateEndpoint"
        scope.states[updates] = {**create, "Resource": resource, "Arguments": changed}
        return there

    def _fail(self, step: Step, scope: Scope) -> None:
        message = expression(get(step.arguments, "ErrorMessage") or "", self.words(step))
        if not scope.inner:
            scope.states[step.name] = {"Type": "Fail", "Error": "Fail", "Cause": braces(f"$string({message})")}
            return
        told = obj({"Error": "'Fail'", "Cause": message})
        scope.states[step.name] = {
            "Type": "Pass",
            "Output": braces(_put("Failed", _key(step.name, scope), told)),
            "Next": scope.end,
        }

    def _lambda(self, step: Step, then: str, scope: Scope) -> None:
        words = self.words(step)
        scope.states[step.name] = {
            "Type": "Task",
            **_comment(step),
            "Resource": f"{self._prefix}lambda:invoke",
            "Arguments": {
                "FunctionName": spelled(step.members.get("FunctionArn"), words),
                "Payload": spelled(step.arguments or {}, words),
            },
            "TimeoutSeconds": _LAMBDA_SECONDS,
            "Retry": retries(step),
            "Output": self._outputs(step, "$states.result.Payload"),
            **self._failing(step, then, scope),
            "Next": then,
        }

    def _callback(self, step: Step, then: str, scope: Scope) -> None:
        words = self.words(step)
        self.notes.append(
            f"whoever answers {step.name} calls SendTaskSuccess or SendTaskFailure of Step Functions with the token, "
            "and no longer SendPipelineExecutionStepSuccess"
        )
        scope.states[step.name] = {
            "Type": "Task",
            **_comment(step),
            "Resource": f"{self._prefix}sqs:sendMessage.waitForTaskToken",
            "Arguments": {
                "QueueUrl": spelled(step.members.get("SqsQueueUrl"), words),
                "MessageBody": {
                    "token": braces("$states.context.Task.Token"),
                    "pipelineExecutionArn": braces("$states.context.Execution.Id"),
                    "arguments": spelled(step.arguments or {}, words),
                    "status": "Executing",
                },
            },
            "Output": self._outputs(step, "$states.result"),
            **self._failing(step, then, scope),
            "Next": then,
        }

    def _outputs(self, step: Step, answer: str) -> str:
        """OutputParameters, of the types that are declared."""
        listed = step.members.get("OutputParameters")
        declared = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, tuple) else []
        if not declared:
            return self.recorded(step, {})
        found, there = dict[str, str](), list[str]()
        for item in declared:
            label = str(item.get("OutputName"))
            value = f"{answer}.{name(label)}"
            there.append(f"$exists({value})")
            match item.get("OutputType") or "String":
                case "Integer" | "Float":
                    found[label] = f"$number({value})"
                case "Boolean":
                    found[label] = f"($type({value}) = 'boolean' ? {value} : $lowercase({value}) = 'true')"
                case _:
                    found[label] = f"$string({value})"
        asked = f"$assert({' and '.join(there)}, {literal(f'the answer to {step.name} lacks an output')})"
        return braces(f"({asked}; {within('Steps', obj({step.name: obj({'OutputParameters': obj(found)})}))})")

    def _emr(self, step: Step, then: str, scope: Scope) -> None:
        if self._kept.get(step.name, set()) - {"ClusterId"}:
            raise Unspelled("of an EMR step a machine hands on the ClusterId alone")
        words = self.words(step)
        arguments = step.arguments if isinstance(step.arguments, Mapping) else {}
        config = arguments.get("ClusterConfig")
        cluster = f"{DATA}.Cluster" if config is not None else expression(arguments.get("ClusterId"), words)
        jar = spelled(get(step.arguments, "StepConfig", "HadoopJarStep"), words)
        request: dict[str, Any] = {
            "ClusterId": _as_text(cluster),
            "Step": {"Name": step.name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": jar},
        }
        if arguments.get("ExecutionRoleArn") is not None:
            request["ExecutionRoleArn"] = spelled(arguments["ExecutionRoleArn"], words)
        main: dict[str, Any] = {
            "Type": "Task",
            **_comment(step),
            "Resource": f"{self._prefix}elasticmapreduce:addStep.sync",
            "Arguments": request,
            "Output": self.recorded(step, {"ClusterId": cluster}),
            **self._failing(step, then, scope),
            "Next": then,
        }
        if config is None:
            scope.states[step.name] = main
            return
        raise Unspelled("it makes a cluster of its own; name one that is there by its id")

    # How it ends.

    def _failing(self, step: Step, then: str, scope: Scope) -> Mapping[str, Any]:
        """Where a state of it goes that fails."""
        if step.name in self.handled:
            return {"Catch": [_catcher(_noted("Handled", step.name, scope), then)]}
        return self.caught(step.name, scope)

    def _lost(self, step: Step, label: str, cause: str, then: str, scope: Scope) -> str:
        """The last road of a Choice, a state of its own: ``cause`` is an object with the error and its cause."""
        handled = step.name in self.handled
        scope.states[label] = {
            "Type": "Pass",
            "Output": braces(_put("Handled" if handled else "Failed", _key(step.name, scope), cause)),
            "Next": then if handled else scope.failed,
        }
        return label

    # Names.

    def _name(self, step: Step, known: StepType, given: Value, scope: Scope) -> str:
        """Of what it makes: new for an execution, a try and an iteration; what a definition gives is its beginning."""
        limit = known.job.name_limit if known.job is not None else _NAME_LIMIT
        parts = [f"{DATA}.Execution.Id", _TRY, *self._try(step, scope)]
        room = limit - _ID_LENGTH - _TAIL - 2
        short = _short(step.name, room if limit < _NAME_LIMIT else room - len("pipelines-"))
        if given is not None:
            base = (
                literal(_short(given, room))
                if isinstance(given, str)
                else (f"$substring({expression(given, self.words(step))}, 0, {room})")
            )
            return f"{base} & '-' & {' & '.join(_dashed(parts))}"
        front = "" if limit < _NAME_LIMIT else "'pipelines-' & "
        return f"{front}{parts[0]} & {literal(f'-{short}-')} & {' & '.join(_dashed(parts[1:]))}"

    def _try(self, step: Step, scope: Scope) -> list[str]:
        found = [f"{DATA}.Loop.Index"] if scope.looped else []
        return [*found, *(f"{DATA}.Tries.{name(key)}" for key in Again.keys(step))]

    # Files.

    def _label(self, step: Step, wanted: JsonGet) -> str:
        written = wanted.path if isinstance(wanted.path, str) else ""
        found = wanted.property_file.path if isinstance(wanted.property_file, Ref) else None
        if found is not None and found.root == "Steps" and len(found.segments) == 2:
            file = found.segments[1]
            return f"{found.name} {file.text if isinstance(file, Key) else file} {written}"
        alike = [item for item in _json_gets(step.arguments) if item.property_file is None]
        number = next((at for at, item in enumerate(alike, 1) if item == wanted), 1)
        return f"{step.name} {number} {written}"

    def _read(self, step: Step, label: str, wanted: JsonGet, scope: Scope, then: str) -> Mapping[str, Any]:
        if not isinstance(wanted.path, str):
            raise Unspelled("the path into a file has to be known before")
        uri = self._place(step, wanted)
        behind = f"$substringAfter({uri}, 's3://')"
        value = file_path("$parse($states.result.Body)", wanted.path)
        missing = literal(f"the file has no {wanted.path}")
        return {
            "Type": "Task",
            "Resource": f"{self._prefix}aws-sdk:s3:getObject",
            "Arguments": {
                "Bucket": braces(f"$substringBefore({behind}, '/')"),
                "Key": braces(f"$substringAfter({behind}, '/')"),
            },
            "Retry": list(FOR_S3),
            "Output": braces(f"($assert($exists({value}), {missing}); {within('Files', obj({label: value}))})"),
            **self._failing(step, step.name, scope),
            "Next": then,
        }

    def _place(self, step: Step, wanted: JsonGet) -> str:
        """JSONata of a file's URI."""
        words = self.words(step)
        if wanted.s3_uri is not None:
            return f"({expression(wanted.s3_uri, words)})"
        found = wanted.property_file.path if isinstance(wanted.property_file, Ref) else None
        match found:
            case RefPath("Steps", of, ("PropertyFiles", str(label) | Key(label))):
                pass
            case _:
                raise Unspelled("a PropertyFile is Steps.<step>.PropertyFiles.<name>")
        there = self._definition.step(of)
        listed = there.members.get("PropertyFiles") if there is not None else None
        declared = next(
            (
                item
                for item in (listed if isinstance(listed, tuple) else ())
                if isinstance(item, Mapping) and item.get("PropertyFileName") == label
            ),
            None,
        )
        if declared is None:
            raise Unspelled(f"{of} declares no property file {label}")
        segments = ("ProcessingOutputConfig", "Outputs", Key(str(declared.get("OutputName"))), "S3Output", "S3Uri")
        folder = path(f"{DATA}.Steps.{name(of)}", segments, {"ProcessingOutputConfig.Outputs": "OutputName"})
        file = str(declared.get("FilePath")).lstrip("/")
        whole = f"$replace({folder}, /\\/$/, '') & {literal('/' + file)}"
        return f"($assert($exists({folder}), 'the step has no such output'); {whole})"

    def _selected(self, step: Step, body: Sequence[str]) -> str:
        written = get(step.arguments, "Selector")
        read = get(written, "Field")
        found = read.path if isinstance(read, Ref) else None
        if found is None or found.root != "IterationOutput" or found.name not in body:
            raise Unspelled("its Selector reads no step of its body")
        there = self._definition.step(found.name)
        known = self._checked.type_of(there) if there is not None else None
        value = path("$", found.segments, known.keyed if known is not None else {})[2:]
        order = "<" if get(written, "Pick") == "MinBy" else ">"
        return f"($states.result.Steps.{name(found.name)}^({order}{value}))[0]"

    def _keep(self, ref: Ref) -> None:
        found = ref.path
        if found is None or found.root not in ("Steps", "IterationOutput"):
            return
        member = kept(found)
        self._kept.setdefault(found.name, set()).update({member} if member is not None else ())
        if member == "Selected":
            step = self._definition.step(found.name)
            selector = get(step.arguments, "Selector", "Field") if step is not None else None
            of = selector.path if isinstance(selector, Ref) else None
            behind = found.segments[1] if len(found.segments) > 1 else None
            if of is not None and isinstance(behind, str):
                self._kept.setdefault(of.name, set()).add(behind)
        if member == "IterationOutputs" and len(found.segments) > 3:
            of_body, behind = found.segments[2], found.segments[3]
            if isinstance(of_body, str) and isinstance(behind, str):
                self._kept.setdefault(of_body, set()).add(behind)


_NAMED_BY_AUTHORS = frozenset({"Endpoint", "EndpointConfig", "InferenceComponent"})
"""A name that the definition gives is the whole name."""
_WHY: Mapping[str, str] = {
    "QualityCheck": "baselines and drift against them are a pipeline's own; run it as a Processing step",
    "ClarifyCheck": "baselines and drift against them are a pipeline's own; run it as a Processing step",
    "Cleanup": "no call removes all objects below a prefix; give them a lifecycle rule of the bucket",
    "Lineage": "its entities name each other by what pipelines know; make them in a Lambda step",
    "EMRServerless": "it is not written yet; start the run in a Lambda step",
}


def _name_member(known: StepType) -> str | None:
    """The request's member with the name of what is made, which definitions leave out."""
    if known.job is not None:
        return known.job.name_member
    wanted = f"{_noun(known)}Name"
    return wanted if wanted in known.omits else None


def _noun(known: StepType) -> str:
    found = _NOUN.fullmatch(known.request or "")
    return found[2] if found is not None else known.type


def _members(wanted: set[str], result: str) -> dict[str, str]:
    return {member: f"{result}.{name(member)}" for member in sorted(wanted)}


def _as_text(found: str) -> str:
    """A literal stays one."""
    plain = re.fullmatch(r"'([^']*)'", found)
    return plain[1] if plain is not None else braces(found)


def _catcher(output: str, to: str) -> Mapping[str, Any]:
    return {"ErrorEquals": ["States.ALL"], "Output": output, "Next": to}


def _noted(place: str, what: str, scope: Scope) -> str:
    told = obj(
        {
            "Error": "$states.errorOutput.Error",
            "Cause": f"$substring($states.errorOutput.Cause, 0, {_REASON_LENGTH})",
        }
    )
    return braces(_put(place, _key(what, scope), told))


def _key(what: str, scope: Scope) -> str:
    return f"{literal(f'{what}-')} & {DATA}.Loop.Index" if scope.looped else literal(what)


def _put(place: str, key: str, told: str) -> str:
    return merged(obj({place: f"$merge([{DATA}.{place}, {{{key}: {told}}}])"}))


def _dashed(parts: Sequence[str]) -> Iterator[str]:
    for number, part in enumerate(parts):
        if number:
            yield "'-'"
        yield part


def _short(text: str, room: int) -> str:
    """As names of jobs are spelled; what has to be cut stays another one's."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
    if len(plain) <= room:
        return plain
    digest = hashlib.sha256(text.encode()).hexdigest()[:4]
    return f"{plain[: room - 5].rstrip('-')}-{digest}"


def _comment(step: Step) -> Mapping[str, str]:
    told = step.members.get("Description") or step.members.get("DisplayName")
    return {"Comment": told} if isinstance(told, str) and told else {}


def _json_gets(value: Value) -> Iterator[JsonGet]:
    match value:
        case JsonGet():
            yield value
        case Join():
            for item in value.values:
                yield from _json_gets(item)
        case Mapping():
            for item in value.values():
                yield from _json_gets(item)
        case tuple():
            for item in value:
                yield from _json_gets(item)
