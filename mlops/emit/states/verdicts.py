"""A stage of a promotion that is looked at: alarms and measures, until its time is over or one of them is red.

As `mlops promote` judges: whole periods since the stage began, all of them at each look. A period without traffic is no
success, and a stage that ends without enough of them goes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.emit.states.jsonata import DATA, braces, literal, merged, obj
from mlops.emit.states.retrying import retries
from mlops.emit.states.writing import caught
from mlops.ir.dataclass import dataclass
from mlops.ir.promoted import Measured, Promoted
from mlops.ir.shift import Stage

_RESULT = "v"
"""The query whose values are judged."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    promoted: Promoted
    sdk: str
    states: dict[str, Any]
    number: int
    stage: Stage

    def write(self, then: str, back: str) -> str:
        """The state in which the looking begins. ``then`` follows where it is green, ``back`` where it is red."""
        label = f"Stage {self.number}"
        begins, waits, verdict = f"{label} begins", f"{label} waits", f"{label}: verdict"
        looks = [*([f"{label}: alarms"] if self.promoted.alarms else [])]
        looks += [f"{label}: {rule.name}" for rule in self.promoted.rules]
        after = [*looks[1:], verdict]
        self.states[begins] = {
            "Type": "Pass",
            "Output": braces(merged(obj({"Since": "$millis()", "Looks": "{}"}))),
            "Next": waits,
        }
        self.states[waits] = {"Type": "Wait", "Seconds": self.promoted.interval, "Next": looks[0]}
        if self.promoted.alarms:
            self._alarms(looks[0], after[0], back)
        offset = 1 if self.promoted.alarms else 0
        for number, rule in enumerate(self.promoted.rules):
            self._measure(looks[number + offset], rule, after[number + offset], back)
        seen = f"$each({DATA}.Looks, function($look) {{ $look }})"
        bad = f"$count($filter({seen}, function($look) {{ $look.Red }})) > 0"
        good = f"$count($filter({seen}, function($look) {{ $look.Green }})) = {len(looks)}"
        over = f"$millis() - {DATA}.Since >= {round(self.stage.bake * 1000)}"
        late = f"$millis() - {DATA}.Since >= {round((self.stage.bake + self.promoted.patience) * 1000)}"
        told = f"$string({DATA}.Looks)"
        self.states[verdict] = {
            "Type": "Choice",
            "Choices": [
                self._back(bad, f"'stage {self.number} ({self.stage.share:g} %) is red: ' & {told}", back),
                {"Condition": braces(f"{good} and {over}"), "Next": then},
                self._back(late, f"'stage {self.number} ({self.stage.share:g} %) has no verdict: ' & {told}", back),
            ],
            "Default": waits,
        }
        return begins

    def _back(self, condition: str, reason: str, to: str) -> Mapping[str, Any]:
        return {"Condition": braces(condition), "Output": braces(merged(obj({"Reason": reason}))), "Next": to}

    def _alarms(self, label: str, then: str, back: str) -> None:
        names = list(self.promoted.alarms)
        states = "$append($states.result.MetricAlarms, $states.result.CompositeAlarms).StateValue"
        found = {
            # One that is gone is red, too: nobody would hear it.
            "Red": f"'ALARM' in [{states}] or $count([{states}]) < {len(names)}",
            "Green": f"$count([{states}]) = {len(names)} and $count($filter([{states}], function($state) "
            "{ $state != 'OK' })) = 0",
            "Told": f"$join([{states}], ', ')",
        }
        request = {"AlarmNames": names, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
        self._look(label, "cloudwatch:describeAlarms", request, "alarms", found, then, back)

    def _measure(self, label: str, rule: Measured, then: str, back: str) -> None:
        period = rule.interval
        first = f"$ceil(({DATA}.Since / 1000 + {rule.delay:g}) / {period}) * {period}"
        last = f"$floor(($millis() / 1000 - {self.promoted.lag:g}) / {period}) * {period}"
        periods = f"$max([0, ({last} - {first}) / {period}])"
        variant = braces(f"{DATA}.New.VariantName")
        queries: list[Mapping[str, Any]] = [
            {
                "Id": name,
                "MetricStat": {
                    "Metric": {
                        "Namespace": query.namespace,
                        "MetricName": query.metric,
                        "Dimensions": [
                            {"Name": key, "Value": variant if value == Promoted.VARIANT else value}
                            for key, value in query.dimensions.items()
                        ],
                    },
                    "Period": period,
                    "Stat": query.statistic,
                },
                "ReturnData": False,
            }
            for name, query in rule.queries.items()
        ]
        queries.append({"Id": _RESULT, "Expression": rule.expression, "Period": period})
        request = {
            "MetricDataQueries": queries,
            "StartTime": braces(f"$fromMillis(({first}) * 1000)"),
            # Where no period is over yet the question is still one that may be asked; its answer is not looked at.
            "EndTime": braces(f"$fromMillis($max([{last}, ({first}) + {period}]) * 1000)"),
            "ScanBy": "TimestampAscending",
        }
        values = f"({periods} > 0 ? [$states.result.MetricDataResults[Id='{_RESULT}'].Values] : [])"
        bad, good = (
            f"$count($filter({values}, function($value) {{ {test} }}))" for test in (_fails(rule), _holds(rule))
        )
        none = f"{periods} - $count({values})"
        if rule.missing == "fail":
            bad = f"({bad} + {none})"
        if rule.missing == "pass":
            good = f"({good} + {none})"
        found = {
            "Red": f"{bad} > {rule.failures}",
            "Green": f"{good} >= {rule.count}",
            "Told": f"{literal(rule.name + ' ')} & $string({values}) & {literal(f', and {rule.limit} is wanted')}",
        }
        self._look(label, "cloudwatch:getMetricData", request, rule.name, found, then, back)

    def _look(
        self,
        label: str,
        action: str,
        request: Mapping[str, Any],
        name: str,
        found: Mapping[str, str],
        then: str,
        back: str,
    ) -> None:
        told = f"$merge([{DATA}.Looks, {obj({name: obj(found)})}])"
        self.states[label] = {
            "Type": "Task",
            "Resource": f"{self.sdk}:{action}",
            "Arguments": request,
            "Retry": retries(None),
            "Output": braces(merged(obj({"Looks": told}))),
            "Catch": [caught(back)],
            "Next": then,
        }


def _fails(rule: Measured) -> str:
    above = rule.at_most if rule.fails_above is None else rule.fails_above
    below = rule.at_least if rule.fails_below is None else rule.fails_below
    tests = [f"$value > {above!r}"] if above is not None else []
    tests += [f"$value < {below!r}"] if below is not None else []
    return " or ".join(tests) or "false"


def _holds(rule: Measured) -> str:
    tests = [f"$value <= {rule.at_most!r}"] if rule.at_most is not None else []
    tests += [f"$value >= {rule.at_least!r}"] if rule.at_least is not None else []
    return " and ".join(tests) or "true"
