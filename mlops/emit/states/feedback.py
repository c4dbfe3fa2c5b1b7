"""Feedback as a machine, which an event starts: it goes through the stages that `mlops feedback run` goes through.

What it did lies in an object of the environment's bucket, replaced under the condition that nobody else did meanwhile:
so of two events one acts, and cooldown and cap are kept. The promotion is the one of :mod:`promotion`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from mlops.emit.states.jsonata import DATA, braces, literal, merged, obj
from mlops.emit.states.promotion import PROMOTES, promotion_states
from mlops.emit.states.scopes import in_order
from mlops.emit.states.taking_back import CONFLICTS, FIRST, GOES, NOT_THERE, TakesBack
from mlops.emit.states.writing import Writer
from mlops.ir.duration import said
from mlops.ir.feedback_machine import FeedbackMachine

BEGIN, DONE = "Feedback begins", "Feedback is done"
_A_DAY = 86_400_000
_KEPT = 50
"""Times that the journal keeps at least: with what else a state knows they fit into its 256 KiB."""
_KEPT_REASON = 200
_MOST_REASON = 900
"""Letters: a value of a pipeline's parameter has 1024 (botocore: String1024)."""
_LOOK_SECONDS, _MOST_LOOKS = 120, 700
"""At an execution: a day. Each look is ten entries of a history that takes 25,000 (guide: Step Functions quotas)."""
_PEOPLE_SECONDS, _MOST_ASKED = 1800, 700
"""At the registry, which people approve in: two weeks."""
_ANSWER_SECONDS = 14 * 86_400
_PLACEHOLDER = re.compile(r"\{(since|until|captures|reason)\}")
_LAST = f"{DATA}.Acts[-1]"


def feedback_machine(feedback: FeedbackMachine, partition: str) -> Mapping[str, Any]:
    return {
        "Comment": f"the feedback {feedback.name} of {feedback.environment}: what follows the {feedback.kind} "
        f"{feedback.watched}",
        "QueryLanguage": "JSONata",
        "StartAt": BEGIN,
        "States": in_order(BEGIN, _Feedback(feedback, partition).written()),
    }


class _Feedback(Writer):
    def __init__(self, feedback: FeedbackMachine, partition: str) -> None:
        super().__init__(partition)
        self._feedback = feedback

    def written(self) -> Mapping[str, Any]:
        feedback = self._feedback
        if feedback.promoted is not None:
            self._states.update(promotion_states(feedback.promoted, self._partition))
        firsts = {
            "notify": "Tells",
            "rollback": FIRST,
            "ask-start": "Asks before the start",
            "start": "Where its endpoint captures" if self._wants_captures else "Trains",
            "ask-promote": "Asks before the promotion",
            "promote": "Is it approved",
        }
        # Nobody is asked to take back what is not under way, so that is looked at before.
        stages = [stage for stage in feedback.stages if stage not in ("train", "ask-rollback")]
        after = {stage: firsts[then] for stage, then in pairwise(stages)}
        self._event()
        self._gate(firsts[stages[0]])
        for stage in stages:
            then = after.get(stage, DONE)
            match stage:
                case "notify":
                    self._tells(then)
                case "rollback":
                    self._takes_back(then)
                case "ask-start":
                    what = f"train {feedback.pipeline} anew"
                    self._asks(firsts[stage], literal(what), then)
                case "start":
                    self._trains(then)
                case "ask-promote":
                    what = f"'promote ' & {DATA}.ModelPackageArn & {literal(f' of {feedback.group}')}"
                    self._asks(firsts[stage], what, then)
                case "promote":
                    self._approved(firsts[stage])
        self._states[DONE] = {
            "Type": "Succeed",
            "Output": {"Outcome": "done", "Execution": braces(f"{DATA}.Execution")},
        }
        return self._states

    # Whether it acts.

    def _event(self) -> None:
        """What the event says, as `mlops feedback show` words it."""
        feedback, detail = self._feedback, "$states.input.detail"
        named = f"the {feedback.kind} {feedback.watched}"
        if feedback.kind == "alarm":
            why = f"{literal(f'{named} is in state ALARM: ')} & {detail}.state.reason"
        else:
            found = f"{detail}.violations & ' violation' & ({detail}.violations != 1 ? 's' : '')"
            why = f"{literal(f'{named} found ')} & {found} & ' from ' & {detail}.since & ' to ' & {detail}.until"
        since = f"$toMillis($states.input.time) - {round(feedback.window * 1000)}"
        told = {
            "Event": "$states.input.id",
            "Why": f"$substring($replace({why}, /\\s+/, ' '), 0, {_MOST_REASON})",
            "Since": f"$replace($fromMillis({since}), /\\.[0-9]+Z$/, 'Z')",
            "Until": "$states.input.time",
        }
        self._states[BEGIN] = {"Type": "Pass", "Output": braces(obj(told)), "Next": "What it did before"}

    def _gate(self, first: str) -> None:
        feedback = self._feedback
        place = {"Bucket": feedback.bucket, "Key": feedback.journal}
        read = {"Acts": "$parse($states.result.Body).Acts", "Tag": "$states.result.ETag"}
        self._call("What it did before", "s3:getObject", place, self._with(read), "Was it ever", back="Not read")
        never = " or ".join(f"$contains({DATA}.Reason, '{code}')" for code in NOT_THERE)
        self._choice("Not read", [(never, "It never did")], "Journal is not read")
        self._end("Journal is not read", "NotSeen", f"{DATA}.Reason")
        self._states["It never did"] = {
            "Type": "Pass",
            "Output": braces(self._with({"Acts": "[]"})),
            "Next": "May it act",
        }
        self._choice("Was it ever", [(f"$count({DATA}.Acts) > 0", "How it went")], "May it act")
        self._call(
            "How it went",
            "sfn:describeExecution",
            {"ExecutionArn": braces(f"{_LAST}.Execution")},
            self._with({"Last": "$states.result.Status"}),
            "May it act",
            otherwise=("May it act", DATA),
        )
        refusals = dict(self._refusals())
        self._choice("May it act", [(test, label) for label, (test, _) in refusals.items()], "Writes it down")
        for label, (_, why) in refusals.items():
            self._skips(label, why)
        self._writes_down(first)

    def _refusals(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """In the order in which `mlops feedback run` looks; the event too, since EventBridge may send one twice."""
        feedback = self._feedback
        same = f"$count({DATA}.Acts[Event = {DATA}.Event]) > 0"
        yield "It has answered", (same, "'it acted on this event before'")
        running = f"$exists({DATA}.Last) and {DATA}.Last in ['RUNNING', 'PENDING_REDRIVE']"
        yield "It still acts", (running, f"'it still acts: ' & {_LAST}.Execution")
        if feedback.cooldown:
            within = f"$count({DATA}.Acts) > 0 and $millis() - {_LAST}.At < {round(feedback.cooldown * 1000)}"
            yield "It cools down", (within, literal(f"its cooldown of {said(feedback.cooldown)} is not over"))
        if feedback.per_day:
            recent = f"$count({DATA}.Acts[At > $millis() - {_A_DAY}]) >= {feedback.per_day}"
            why = literal(f"it acted as often within 24 hours as per_day says: {feedback.per_day}")
            yield "It acted often enough", (recent, why)

    def _skips(self, label: str, why: str) -> None:
        output = {"Outcome": "skipped", "Why": braces(why), "Signal": braces(f"{DATA}.Why")}
        self._states[label] = {"Type": "Succeed", "Output": output}

    def _writes_down(self, first: str) -> None:
        """Before anything is done."""
        feedback = self._feedback
        act = {
            "At": "$millis()",
            "Execution": "$states.context.Execution.Id",
            "Event": f"{DATA}.Event",
            "Why": f"$substring({DATA}.Why, 0, {_KEPT_REASON})",
        }
        kept_times = max(_KEPT, feedback.per_day)
        all_of_them = f"$append({DATA}.Acts, [{obj(act)}])"
        kept = f"$filter({all_of_them}, function($act, $at) {{ $at > $count({DATA}.Acts) - {kept_times} }})"
        request = {
            "Bucket": literal(feedback.bucket),
            "Key": literal(feedback.journal),
            "Body": f"$string({obj({'Acts': f'[{kept}]'})})",
            "ContentType": "'application/json'",
        }
        unchanged = f"($exists({DATA}.Tag) ? {{'IfMatch': {DATA}.Tag}} : {{'IfNoneMatch': '*'}})"
        self._call(
            "Writes it down",
            "s3:putObject",
            braces(merged(unchanged, base=obj(request))),
            self._with({"Acts": "[]", "Id": "$substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 12)"}),
            first,
            back="Not written",
        )
        lost = " or ".join(f"$contains({DATA}.Reason, '{code}')" for code in CONFLICTS)
        self._choice("Not written", [(lost, "Another was faster")], "Journal is not written")
        self._skips("Another was faster", "'another event has begun it'")
        self._end("Journal is not written", "NotWritten", f"{DATA}.Reason")

    # What it does.

    def _takes_back(self, then: str) -> None:
        feedback, asks = self._feedback, "Asks before it goes back"
        place = {"Bucket": feedback.bucket, "Key": feedback.shifts}
        back = TakesBack(self._partition, str(feedback.endpoint), place, feedback.lease)
        is_asked = "ask-rollback" in feedback.stages
        self._states.update(back.written(asks if is_asked else GOES, then))
        if is_asked:
            self._asks(asks, literal(f"take back the shift of {feedback.endpoint}'s traffic"), GOES)

    def _tells(self, then: str) -> None:
        """Who is told fails nothing."""
        feedback = self._feedback
        does = ", ".join(stage for stage in feedback.stages if stage != "notify") or "nothing else"
        text = f"{literal(f'{self._subject}: ')} & {DATA}.Why & {literal(f'; what follows: {does}')}"
        request = {"TopicArn": feedback.topic, "Subject": self._subject[:100], "Message": braces(text)}
        self._call(
            "Tells",
            "sns:publish",
            request,
            DATA,
            then,
            otherwise=(then, DATA),
            resource=f"arn:{self._partition}:states:::sns:publish",
        )

    @property
    def _subject(self) -> str:
        return f"feedback {self._feedback.name} in {self._feedback.environment}"

    def _asks(self, label: str, what: str, then: str) -> None:
        """A person answers with the token that is in the message."""
        text = f"{literal(f'{self._subject} asks: ')} & {what} & '? Because ' & {DATA}.Why & '.'"
        for word, answer in (("Yes", "true"), ("No", "false")):
            command = literal(f"\n\n{word}: aws stepfunctions send-task-success --task-token ")
            output = literal(f" --task-output '{{\"approved\": {answer}}}'")
            text += f" & {command} & $states.context.Task.Token & {output}"
        request = {"TopicArn": self._feedback.topic, "Subject": self._subject[:100], "Message": braces(text)}
        answered, late = f"{label}: the answer", f"{label}: no answer"
        self._call(
            label,
            "sns:publish",
            request,
            self._with({"Answer": "$states.result"}),
            answered,
            back=late,
            resource=f"arn:{self._partition}:states:::sns:publish.waitForTaskToken",
        )
        self._states[label]["TimeoutSeconds"] = _ANSWER_SECONDS
        self._choice(answered, [(f"{DATA}.Answer.approved = true", then)], f"{label}: no")
        self._end(f"{label}: no", "Rejected", f"'somebody said no: ' & $string({DATA}.Answer)")
        self._end(late, "NotAnswered", f"{DATA}.Reason")

    @property
    def _wants_captures(self) -> bool:
        return any("{captures}" in value for value in self._feedback.parameters.values())

    def _trains(self, then: str) -> None:
        feedback = self._feedback
        if self._wants_captures:
            to = "$states.result.DataCaptureConfig.DestinationS3Uri"
            place = f"$replace({to}, /\\/+$/, '') & {literal(f'/{feedback.endpoint}/')}"
            self._call(
                "Where its endpoint captures",
                "sagemaker:describeEndpoint",
                {"EndpointName": feedback.endpoint},
                self._with({"Captures": f"($exists({to}) ? {place} : '')"}),
                "Trains",
            )
        listed = [
            {"Name": key, "Value": self._filled(value)} for key, value in sorted(self._feedback.parameters.items())
        ]
        request: dict[str, Any] = {
            "PipelineName": feedback.pipeline,
            "PipelineExecutionDisplayName": braces(f"'feedback-' & {DATA}.Id"),
            "PipelineExecutionDescription": braces(f"{literal(f'feedback {feedback.name}: ')} & {DATA}.Why"),
            # One that is tried again finds what the first has started.
            "ClientRequestToken": braces("$hash($states.context.Execution.Id, 'SHA-256')"),
            **({"PipelineParameters": listed} if listed else {}),
        }
        started = self._with({"Execution": "$states.result.PipelineExecutionArn", "Looks": "0"})
        self._call("Trains", "sagemaker:startPipelineExecution", request, started, "Trains: looks")
        self._call(
            "Trains: looks",
            "sagemaker:describePipelineExecution",
            {"PipelineExecutionArn": braces(f"{DATA}.Execution")},
            self._with(
                {
                    "Status": "$states.result.PipelineExecutionStatus",
                    "Failure": "$states.result.FailureReason",
                    "Looks": f"{DATA}.Looks + 1",
                }
            ),
            "Has it trained",
        )
        self._choice(
            "Has it trained",
            [
                (f"{DATA}.Status = 'Succeeded'", then if feedback.group is None else "What it registered"),
                (f"{DATA}.Status in ['Executing', 'Stopping'] and {DATA}.Looks < {_MOST_LOOKS}", "Trains: waits"),
            ],
            "Not trained",
        )
        self._wait("Trains: waits", _LOOK_SECONDS, "Trains: looks")
        self._end("Not trained", "NotTrained", f"{DATA}.Execution & ' is ' & {DATA}.Status & ' ' & {DATA}.Failure")
        if feedback.group is not None:
            self._registered(then)

    def _registered(self, then: str) -> None:
        group = str(self._feedback.group)
        # A group is the same in either case, and its ARN may be in another than what is declared.
        of_group = literal(f":model-package/{group}/".lower())
        arns = "[$states.result.PipelineExecutionSteps.Metadata.RegisterModel.Arn]"
        mine = f"$filter({arns}, function($arn) {{ $contains($lowercase($arn), {of_group}) }})"
        newest = f"$sort([{mine}], function($a, $b) {{ {_number('$a')} < {_number('$b')} }})[0]"
        self._call(
            "What it registered",
            "sagemaker:listPipelineExecutionSteps",
            {"PipelineExecutionArn": braces(f"{DATA}.Execution"), "MaxResults": 100},
            self._with({"ModelPackageArn": newest, "Looks": "0"}),
            "Has it registered",
        )
        self._choice("Has it registered", [(f"$exists({DATA}.ModelPackageArn)", then)], "Nothing registered")
        told = f"{DATA}.Execution & {literal(f' registered no version of {group}')}"
        self._end("Nothing registered", "NothingRegistered", told)

    def _approved(self, label: str) -> None:
        """In the registry, by whoever may."""
        self._call(
            label,
            "sagemaker:describeModelPackage",
            {"ModelPackageName": braces(f"{DATA}.ModelPackageArn")},
            self._with({"Approval": "$states.result.ModelApprovalStatus", "Looks": f"{DATA}.Looks + 1"}),
            f"{label}?",
        )
        self._choice(
            f"{label}?",
            [
                (f"{DATA}.Approval = 'Approved'", PROMOTES),
                (
                    f"{DATA}.Approval = 'PendingManualApproval' and {DATA}.Looks < {_MOST_ASKED}",
                    f"{label}: waits",
                ),
            ],
            "It is not",
        )
        self._wait(f"{label}: waits", _PEOPLE_SECONDS, label)
        self._end("It is not", "NotApproved", f"{DATA}.ModelPackageArn & ' is ' & {DATA}.Approval")

    def _filled(self, value: str) -> str:
        """As a text of the machine's definition."""
        known = {"since": "Since", "until": "Until", "captures": "Captures", "reason": "Why"}
        parts = _PLACEHOLDER.split(value)
        if len(parts) == 1:
            return value if value and not value.startswith("{%") else braces(literal(value))
        told = [f"{DATA}.{known[part]}" if number % 2 else literal(part) for number, part in enumerate(parts)]
        return braces(" & ".join(item for item in told if item != "''"))


def _number(arn: str) -> str:
    return f"$number($split({arn}, '/')[-1])"
