"""The declared promotion as a machine: a version comes to an endpoint's traffic by `mlops promote`'s moves.

What serves is known only when it runs. So the machine looks first, and ends before it has changed anything where it
cannot go as was declared: several variants, a serverless one, a shadow, an endpoint that is scaled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.emit.states.jsonata import DATA, braces, literal, merged, obj
from mlops.emit.states.scopes import in_order
from mlops.emit.states.verdicts import Verdicts
from mlops.emit.states.writing import PAUSE_SECONDS, TROUBLE, UNDER_WAY, Writer
from mlops.ir.promoted import Promoted
from mlops.ir.shift import Stage

BEGIN, PROMOTES = "Begin", "Version"
_NAME_LENGTH = 63
_BACKS = 5
"""How often it goes back from where it is then, before somebody has to look."""
_ARN = "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}version\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"
_NEW, _OLD = f"{DATA}.New", f"{DATA}.Old"
_DESCRIBED = ("EndpointConfigName", "EndpointConfigArn", "CreationTime", "ProductionVariants")
_OF_A_MODEL = ("VariantName", "ModelName", "InitialInstanceCount", "InitialVariantWeight", "InstanceType")


def promotion_machine(promoted: Promoted, partition: str) -> Mapping[str, Any]:
    return {
        "Comment": f"{promoted.group} to {promoted.endpoint} by {promoted.strategy}: written by mlops emit states",
        "QueryLanguage": "JSONata",
        "StartAt": BEGIN,
        "States": in_order(BEGIN, _Promotion(promoted, partition).written()),
    }


def promotion_states(promoted: Promoted, partition: str) -> Mapping[str, Any]:
    """For a machine that comes to :data:`PROMOTES` with a ModelPackageArn."""
    return _Promotion(promoted, partition).written()


class _Promotion(Writer):
    def __init__(self, promoted: Promoted, partition: str) -> None:
        super().__init__(partition)
        self._promoted = promoted

    def written(self) -> Mapping[str, Any]:
        promoted = self._promoted
        self._version()
        self._looks()
        match promoted.engine:
            case "weights":
                self._weights()
            case "guardrails":
                self._at_once({"DeploymentConfig": promoted.deployment})
            case _:
                self._at_once({})
        self._creates()
        return self._states

    # What is promoted, and what serves.

    def _version(self) -> None:
        group = self._promoted.group
        self._choice(BEGIN, [("$exists($states.input.ModelPackageArn)", PROMOTES)], "Newest approved version")
        self._call(
            "Newest approved version",
            "sagemaker:listModelPackages",
            {
                "ModelPackageGroupName": group,
                "ModelApprovalStatus": "Approved",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 1,
            },
            "($assert($count($states.result.ModelPackageSummaryList) > 0, "
            + literal(f"no version of {group} is approved")
            + "); {'ModelPackageArn': $states.result.ModelPackageSummaryList[0].ModelPackageArn})",
            PROMOTES,
        )
        offered = "$states.result.InferenceSpecification.SupportedRealtimeInferenceInstanceTypes"
        self._call(
            PROMOTES,
            "sagemaker:describeModelPackage",
            {"ModelPackageName": braces(f"{DATA}.ModelPackageArn")},
            obj(
                {
                    "ModelPackageArn": "$states.result.ModelPackageArn",
                    "Version": "$states.result.ModelPackageVersion",
                    "Approval": "$states.result.ModelApprovalStatus",
                    "Group": "$states.result.ModelPackageGroupName",
                    "Offered": f"[{offered}]",
                    "Id": "$substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 8)",
                }
            ),
            "May it go",
        )
        self._choice(
            "May it go",
            [(f"{DATA}.Approval = 'Approved' and {DATA}.Group = {literal(group)}", "Endpoint")],
            "Not approved",
        )
        self._end("Not approved", "NotApproved", f"{DATA}.ModelPackageArn & ' is no approved version of {group}'")

    def _looks(self) -> None:
        name = self._promoted.endpoint
        self._call(
            "Endpoint",
            "sagemaker:describeEndpoint",
            {"EndpointName": name},
            self._with(
                {
                    "Status": "$states.result.EndpointStatus",
                    "Before": "$states.result.EndpointConfigName",
                    "Live": "$states.result.ProductionVariants",
                }
            ),
            "Is it settled",
            back="Is there none",
        )
        # Where it is not allowed to look nothing is made.
        none = f"$contains({DATA}.Reason, 'Could not find endpoint')"
        self._choice("Is there none", [(none, "Names of a new one")], "Not seen")
        self._end("Not seen", "NotSeen", f"{DATA}.Reason")
        self._choice(
            "Is it settled",
            [
                (f"{DATA}.Status = 'InService'", "Configuration"),
                (f"{DATA}.Status in {UNDER_WAY}", "Somebody is at it"),
            ],
            "Not in service",
        )
        self._wait("Somebody is at it", PAUSE_SECONDS, "Endpoint")
        self._end("Not in service", "NotInService", f"'{name} is ' & {DATA}.Status")
        live = f"{DATA}.Live[0]"
        weight = f"($exists({live}.DesiredWeight) ? {live}.DesiredWeight : {live}.CurrentWeight)"
        count = f"($exists({live}.DesiredInstanceCount) ? {live}.DesiredInstanceCount : {live}.CurrentInstanceCount)"
        self._call(
            "Configuration",
            "sagemaker:describeEndpointConfig",
            {"EndpointConfigName": braces(f"{DATA}.Before")},
            self._with(
                {
                    "Members": _without("$states.result", _DESCRIBED),
                    "Old": merged(
                        obj({"InitialVariantWeight": weight, "InitialInstanceCount": count}),
                        base="$states.result.ProductionVariants[0]",
                    ),
                }
            ),
            "Can it go",
        )
        self._choice(
            "Can it go",
            [
                (
                    f"$count({DATA}.Live) = 1 and $not($exists({_OLD}.ServerlessConfig)) and "
                    f"$count({DATA}.Members.ShadowProductionVariants) = 0 and $not($exists({_OLD}.InstancePools))",
                    "Scaling",
                )
            ],
            "Cannot go",
        )
        told = f"{name} has several variants, a serverless one, a shadow or a pool: promote it by mlops promote"
        self._end("Cannot go", "CannotGo", literal(told))
        resource = f"'endpoint/{name}/variant/' & {_OLD}.VariantName"
        self._call(
            "Scaling",
            "applicationautoscaling:describeScalableTargets",
            {"ServiceNamespace": "sagemaker", "ResourceIds": [braces(resource)]},
            self._with({"Scaled": "$count($states.result.ScalableTargets)"}),
            "Is it scaled",
        )
        self._choice("Is it scaled", [(f"{DATA}.Scaled = 0", "Names")], "Scaled")
        told = f"{name} is scaled by itself, which has to be suspended meanwhile: promote it by mlops promote"
        self._end("Scaled", "Scaled", literal(told))
        self._states["Names"] = {"Type": "Pass", "Output": braces(self._named()), "Next": "Does it serve already"}
        self._choice("Does it serve already", [(f"{_OLD}.ModelName = {DATA}.Model", "Unchanged")], "Is the model there")
        self._states["Unchanged"] = {
            "Type": "Succeed",
            "Output": {"Outcome": "unchanged", "Model": braces(f"{DATA}.Model")},
        }
        self._model("Is the model there", "Model", "Goes")

    def _named(self) -> str:
        """With the names of what comes; the model is called as `mlops promote` calls it, so that each finds the
        other's."""
        return self._with({"Model": self._model_name(), "New": self._coming(), "Prefix": self._prefix()})

    def _model_name(self) -> str:
        group = self._promoted.group
        request = self._model_request(_ARN)
        text = json.dumps([_ARN, request], sort_keys=True, ensure_ascii=False)
        plain = json.dumps([_ARN, request], sort_keys=True).replace(json.dumps(_ARN)[1:-1], _ARN)
        assert _ARN in text  # noqa: S101 - it is what stands for the version
        hashed = f"$substring($hash($replace({literal(plain)}, '{_ARN}', {DATA}.ModelPackageArn), 'SHA-256'), 0, 10)"
        tail = f"'-' & {DATA}.Version & '-' & {hashed}"
        return f"$replace($substring({literal(group)}, 0, {_NAME_LENGTH} - $length({tail})), /-+$/, '') & {tail}"

    def _prefix(self) -> str:
        """Of configurations: the version, and an execution, so that one cut off finds no other's."""
        group = literal(self._promoted.group)
        tail = f"'-' & {DATA}.Version & '-' & {DATA}.Id"
        return f"$replace($substring({group}, 0, {_NAME_LENGTH - 6} - $length({tail})), /-+$/, '') & {tail}"

    def _coming(self) -> str:
        """The new variant, with what serves beside its model."""
        chosen = (
            f"($count({DATA}.Offered) = 0 or {_OLD}.InstanceType in {DATA}.Offered ? {_OLD}.InstanceType : "
            f"{DATA}.Offered[0])"
        )
        names = ", ".join(map(literal, self._promoted.variants))
        other = f"$filter([{names}], function($name) {{ $name != {_OLD}.VariantName }})[0]"
        own = other if self._promoted.engine == "weights" else f"{_OLD}.VariantName"
        told = {
            "VariantName": own,
            "ModelName": self._model_name(),
            "InstanceType": chosen,
            "InitialInstanceCount": f"{_OLD}.InitialInstanceCount",
            "InitialVariantWeight": "1",
        }
        return merged(obj(told), base=_without(_OLD, _OF_A_MODEL))

    def _model_request(self, arn: str) -> dict[str, Any]:
        return {**self._promoted.model, "PrimaryContainer": {"ModelPackageName": arn}}

    def _model(self, there: str, makes: str, then: str) -> None:
        name = braces(f"{DATA}.Model")
        self._call(there, "sagemaker:describeModel", {"ModelName": name}, DATA, then, otherwise=(makes, DATA))
        request = self._model_request(braces(f"{DATA}.ModelPackageArn"))
        self._call(makes, "sagemaker:createModel", {"ModelName": name, **request}, DATA, then)

    # By weights.

    def _weights(self) -> None:
        stages = self._promoted.course.stages
        first = self._needed(stages[0])
        coming = merged(obj({"InitialVariantWeight": "0", "InitialInstanceCount": first}), base=_NEW)
        self._config("Goes", "both", f"[{_OLD}, {coming}]", "Both come", back=None)
        self._points("Both come", "both", "Stage 1", back="Take back")
        for number, stage in enumerate(stages, 1):
            then = f"Stage {number + 1}" if number < len(stages) else "Alone"
            self._stage(number, stage, stages[number - 2] if number > 1 else stage, then)
        alone = merged(obj({"InitialVariantWeight": "1"}), base=_NEW)
        self._config("Alone", "new", f"[{alone}]", "Old goes", back="Take back")
        weighed = {"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}]}
        self._points("Old goes", "new", "Promoted", back="Take back", more=weighed)
        self._promoted_end()
        self._takes_back()

    def _stage(self, number: int, stage: Stage, before: Stage, then: str) -> None:
        label, traffic = f"Stage {number}", f"Stage {number}: {stage.share:g} %"
        if stage.share != before.share:
            scales = f"{label}: instances"
            needed = self._needed(stage)
            self._choice(label, [(f"{needed} != {self._needed(before)}", scales)], traffic)
            wanted = {"VariantName": braces(f"{_NEW}.VariantName"), "DesiredInstanceCount": braces(needed)}
            self._changes(scales, [wanted], traffic)
        else:
            self._states[label] = {"Type": "Pass", "Next": traffic}
        verdict = Verdicts(self._promoted, self._sdk, self._states, number, stage)
        looks = verdict.write(then, "Take back") if stage.bake else then
        shares = [(_OLD, 100 - stage.share), (_NEW, stage.share)]
        self._changes(
            traffic,
            [{"VariantName": braces(f"{of}.VariantName"), "DesiredWeight": _plain(share)} for of, share in shares],
            looks,
        )

    def _needed(self, stage: Stage) -> str:
        """At least one instance: a variant in service has one."""
        return f"$max([1, $ceil({_OLD}.InitialInstanceCount * {_plain(stage.share)} / 100)])"

    def _takes_back(self) -> None:
        """From wherever it is when what is under way has ended: traffic first, then the old version alone."""
        new = f"{DATA}.Prefix & '-new'"
        self._goes_back(
            [
                (f"{DATA}.Seen.Serves = ({DATA}.Prefix & '-both')", "Traffic back"),
                (f"{DATA}.Seen.Serves = ({new})", "Both again"),
            ]
        )
        self._points("Both again", "both", "Traffic back", undone="Not yet back")
        weights = [(_OLD, braces(f"{_OLD}.InitialVariantWeight")), (_NEW, 0)]
        self._call(
            "Traffic back",
            "sagemaker:updateEndpointWeightsAndCapacities",
            {
                "EndpointName": self._promoted.endpoint,
                "DesiredWeightsAndCapacities": [
                    {"VariantName": braces(f"{of}.VariantName"), "DesiredWeight": weight} for of, weight in weights
                ],
            },
            DATA,
            "Traffic back: looks",
            undone="Not yet back",
        )
        self._settles("Traffic back: looks", None, "Old alone", undone="Not yet back")
        self._call(
            "Old alone",
            "sagemaker:updateEndpoint",
            {
                "EndpointName": self._promoted.endpoint,
                "EndpointConfigName": braces(f"{DATA}.Before"),
                "RetainAllVariantProperties": True,
            },
            DATA,
            "Old alone: comes",
            undone="Not yet back",
        )
        self._settles("Old alone: comes", f"{DATA}.Before", "Taken back", undone="Not yet back")
        self._states["Not yet back"] = {
            "Type": "Pass",
            "Output": braces(self._with({"Backs": f"($exists({DATA}.Backs) ? {DATA}.Backs : 0) + 1"})),
            "Next": "Once more?",
        }
        self._choice("Once more?", [(f"{DATA}.Backs < {_BACKS}", "Take back, waits")], "Lost")

    def _goes_back(self, ways: Sequence[tuple[str, str]]) -> None:
        """``ways`` are of an endpoint in service that does not serve what it did: what somebody else brought stays."""
        serves_before = f"{DATA}.Seen.Serves = {DATA}.Before"
        self._looks_at("Take back", "Take back?", undone="Lost")
        settled = [(f"{DATA}.Seen.Status = 'InService' and {where}", to) for where, to in ways]
        self._choice(
            "Take back?",
            [
                (f"{DATA}.Seen.Status in {UNDER_WAY}", "Take back, waits"),
                (f"{DATA}.Seen.Status = 'InService' and {serves_before}", "Taken back"),
                *settled,
            ],
            "Lost",
        )
        self._wait("Take back, waits", PAUSE_SECONDS, "Take back")
        name = self._promoted.endpoint
        self._end("Taken back", "TakenBack", f"'{name} serves ' & {DATA}.Before & ' as before: ' & {_why()}")
        told = f"'{name} does not come back to ' & {DATA}.Before & ', look at it; it was to, because ' & {_why()}"
        trouble = f"($exists({DATA}.{TROUBLE}) ? '. On the way back: ' & {DATA}.{TROUBLE} : '')"
        self._end("Lost", "Lost", f"{told} & {trouble}")

    # At once, or by the service's guardrails.

    def _at_once(self, more: Mapping[str, Any]) -> None:
        self._config("Goes", "new", f"[{_NEW}]", "Comes", back=None)
        self._points("Comes", "new", "Promoted", back="Take back", more=more)
        # The service goes back by itself; where it was only not seen to come it has come.
        self._goes_back([(f"{DATA}.Seen.Serves = ({DATA}.Prefix & '-new')", "Promoted")])
        self._promoted_end()

    def _promoted_end(self) -> None:
        self._states["Promoted"] = {
            "Type": "Succeed",
            "Output": {
                "Outcome": "promoted",
                "Version": braces(f"{DATA}.Version"),
                "Model": braces(f"{DATA}.Model"),
                "EndpointConfigName": braces(f"{DATA}.Prefix & '-new'"),
            },
        }

    # Where there is no endpoint yet.

    def _creates(self) -> None:
        chosen = f"($count({DATA}.Offered) = 0 ? 'ml.m5.large' : {DATA}.Offered[0])"
        variant = {
            "VariantName": "'AllTraffic'",
            "ModelName": self._model_name(),
            "InstanceType": chosen,
            "InitialInstanceCount": "1",
            "InitialVariantWeight": "1",
        }
        named = {"Model": self._model_name(), "New": obj(variant), "Prefix": self._prefix(), "Members": "{}"}
        self._states["Names of a new one"] = {
            "Type": "Pass",
            "Output": braces(self._with(named)),
            "Next": "Is its model there",
        }
        self._model("Is its model there", "Its model", "Its configuration")
        self._config("Its configuration", "new", f"[{_NEW}]", "Created", back=None)
        self._call(
            "Created",
            "sagemaker:createEndpoint",
            {"EndpointName": self._promoted.endpoint, "EndpointConfigName": braces(f"{DATA}.Prefix & '-new'")},
            DATA,
            "Created: comes",
        )
        self._settles("Created: comes", f"{DATA}.Prefix & '-new'", "Promoted", back="Not served")
        self._end("Not served", "NotServed", f"'{self._promoted.endpoint} does not serve it: ' & {_why()}")

    # Parts.

    def _config(self, label: str, name: str, variants: str, then: str, *, back: str | None) -> None:
        members = {
            "EndpointConfigName": f"{DATA}.Prefix & '-{name}'",
            "ProductionVariants": variants,
        }
        further = [json.dumps(dict(self._promoted.members))] if self._promoted.members else []
        request = merged(*further, obj(members), base=f"{DATA}.Members")
        self._call(label, "sagemaker:createEndpointConfig", braces(request), DATA, then, back=back)

    def _points(
        self,
        label: str,
        name: str,
        then: str,
        *,
        back: str | None = None,
        undone: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        config = f"{DATA}.Prefix & '-{name}'"
        request = {
            "EndpointName": self._promoted.endpoint,
            "EndpointConfigName": braces(config),
            "RetainAllVariantProperties": True,
            **(more or {}),
        }
        self._call(label, "sagemaker:updateEndpoint", request, DATA, f"{label}: looks", back=back, undone=undone)
        self._settles(f"{label}: looks", config, then, back=back, undone=undone)

    def _changes(self, label: str, wanted: Sequence[Mapping[str, Any]], then: str) -> None:
        request = {"EndpointName": self._promoted.endpoint, "DesiredWeightsAndCapacities": list(wanted)}
        resource = "sagemaker:updateEndpointWeightsAndCapacities"
        self._call(label, resource, request, DATA, f"{label}: looks", back="Take back")
        self._settles(f"{label}: looks", None, then, back="Take back")

    def _settles(
        self, label: str, config: str | None, then: str, *, back: str | None = None, undone: str | None = None
    ) -> None:
        """Until nothing is under way: it serves ``config``, else it goes ``back``, or is ``undone``."""
        seen, pause = f"{label}?", f"{label}, waits"
        self._looks_at(label, seen, back=back, undone=undone)
        there = f"{DATA}.Seen.Status = 'InService'"
        if config is not None:
            there += f" and {DATA}.Seen.Serves = {f'({config})'}"
        otherwise = back or undone
        assert otherwise is not None  # noqa: S101 - each says where it leads
        self._choice(seen, [(there, then), (f"{DATA}.Seen.Status in {UNDER_WAY}", pause)], otherwise)
        self._wait(pause, PAUSE_SECONDS, label)

    def _looks_at(self, label: str, then: str, *, back: str | None = None, undone: str | None = None) -> None:
        found = {
            "Status": "$states.result.EndpointStatus",
            "Serves": "$states.result.EndpointConfigName",
            "Failure": "$states.result.FailureReason",
        }
        asked = {"EndpointName": self._promoted.endpoint}
        seen = self._with({"Seen": obj(found)})
        self._call(label, "sagemaker:describeEndpoint", asked, seen, then, back=back, undone=undone)


def _why() -> str:
    seen = f"{DATA}.Seen.Status & ' with ' & {DATA}.Seen.Serves & ' ' & {DATA}.Seen.Failure"
    return f"($exists({DATA}.Reason) ? {DATA}.Reason : {seen})"


def _without(value: str, names: Sequence[str]) -> str:
    left = ", ".join(map(literal, names))
    return f"$sift({value}, function($item, $name) {{ $not($name in [{left}]) }})"


def _plain(share: float) -> int | float:
    return int(share) if share == int(share) else share
