"""A shift of traffic that `mlops promote` has under way, taken back by a machine.

Who is at it is left a word in the shift's journal, as `mlops endpoints abort` leaves it. Where nobody says anything any
more the machine does it: traffic first, then the old version alone. The journal stays; whoever comes next finds all
done, and writes the end down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.emit.states.jsonata import DATA, braces, literal, merged, obj
from mlops.emit.states.writing import PAUSE_SECONDS, TROUBLE, UNDER_WAY, Writer

NOT_THERE = ("NoSuchKey",)
CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict", "Status Code: 412", "Status Code: 409")
FIRST, GOES = "What shifts", "Says that it goes back"
_LOST = "It does not come back"
_SHIFT = f"{DATA}.Shift"


class TakesBack(Writer):
    """Begins at :data:`FIRST`. ``journal`` is where that of the shift lies. Who says nothing for longer than ``lease``
    seconds is taken for gone. ``Why`` of the data is the reason."""

    def __init__(self, partition: str, endpoint: str, journal: Mapping[str, Any], lease: float) -> None:
        super().__init__(partition)
        self._endpoint = endpoint
        self._place = journal
        self._lease = lease

    def written(self, asks: str, then: str) -> Mapping[str, Any]:
        """``asks`` leads to :data:`GOES` where a shift is under way, ``then`` is what follows."""
        self._reads(FIRST, "Does it shift", "Not seen to shift")
        never = " or ".join(f"$contains({DATA}.Reason, '{code}')" for code in NOT_THERE)
        self._choice("Not seen to shift", [(never, then)], "Shift is not read")
        self._end("Shift is not read", "NotSeen", f"{DATA}.Reason")
        under_way = f"{_SHIFT}.phase in ['shifting', 'going back']"
        self._choice("Does it shift", [(under_way, asks)], then)
        self._says()
        self._waits_for_it(under_way, then)
        self._does_it(then)
        return self._states

    def _reads(self, label: str, then: str, back: str) -> None:
        read = {"Shift": "$parse($states.result.Body)", "ShiftTag": "$states.result.ETag"}
        self._call(label, "s3:getObject", self._place, self._with(read), then, back=back)

    def _says(self) -> None:
        by = "$states.context.Execution.Id"
        word = {"what": "'aborted'", "by": by, "at": "$now()", "reason": f"{DATA}.Why"}
        said = {
            "wish": "'abort'",
            "wish_reason": f"{DATA}.Why",
            "steered": f"$append({_SHIFT}.steered, [{obj(word)}])",
        }
        request = {
            "Bucket": literal(self._place["Bucket"]),
            "Key": literal(self._place["Key"]),
            "Body": f"$string({merged(obj(said), base=_SHIFT)})",
            "ContentType": "'application/json'",
            "IfMatch": f"{DATA}.ShiftTag",
        }
        self._call(GOES, "s3:putObject", braces(obj(request)), DATA, "Goes back, waits", back="Not said")
        lost = " or ".join(f"$contains({DATA}.Reason, '{code}')" for code in CONFLICTS)
        self._choice("Not said", [(lost, "Reads it again")], "Shift is not read")
        self._reads("Reads it again", "Still shifts", "Shift is not read")

    def _waits_for_it(self, under_way: str, then: str) -> None:
        """For whoever is at it, as long as that one says something."""
        self._choice("Still shifts", [(under_way, GOES)], then)
        self._wait("Goes back, waits", PAUSE_SECONDS, "Goes back?")
        self._reads("Goes back?", "Has it gone back", "Shift is not read")
        silent = f"$millis() - $toMillis({_SHIFT}.at) > {round(self._lease * 1000)}"
        self._choice(
            "Has it gone back",
            [(f"$not({under_way})", then), (f"{_SHIFT}.wish != 'abort'", GOES), (silent, "Nobody is at it")],
            "Goes back, waits",
        )

    def _does_it(self, then: str) -> None:
        endpoint = {"EndpointName": self._endpoint}
        seen = {
            "Status": "$states.result.EndpointStatus",
            "Serves": "$states.result.EndpointConfigName",
            "Live": "[$states.result.ProductionVariants.VariantName]",
        }
        self._call(
            "Nobody is at it", "sagemaker:describeEndpoint", endpoint, self._with(seen), "Where is it", undone=_LOST
        )
        alarm = f"{_SHIFT}.moves[{_SHIFT}.done].deployment.AutoRollbackConfiguration.Alarms[0].AlarmName"
        rings = f"{DATA}.Status = 'Updating' and $exists({alarm})"
        is_old = f"{DATA}.Serves = {_SHIFT}.old.config"
        old = f"{_SHIFT}.old.variants"
        both = f"$count({old}[name in {DATA}.Live]) = $count({old})"
        self._choice(
            "Where is it",
            [
                (rings, "Rings for it"),
                (f"{DATA}.Status in {UNDER_WAY}", "Is at it, waits"),
                (f"{DATA}.Status = 'InService' and {is_old}", then),
                (f"{DATA}.Status = 'InService' and {both}", "Its traffic back"),
                (f"{DATA}.Status = 'InService'", "Its old version alone"),
            ],
            _LOST,
        )
        # The service has no call that ends a deployment: it goes back while an alarm rings that it watches.
        ring = {"AlarmName": braces(alarm), "StateValue": "ALARM", "StateReason": braces(f"{DATA}.Why")}
        self._call("Rings for it", "cloudwatch:setAlarmState", ring, DATA, "Is at it, waits", undone=_LOST)
        self._wait("Is at it, waits", PAUSE_SECONDS, "Nobody is at it")
        weight = f"($old := {old}[name = $name]; $exists($old) ? $old.weight : 0)"
        weights = f"[$map({DATA}.Live, function($name) {{ {{'VariantName': $name, 'DesiredWeight': {weight}}} }})]"
        self._call(
            "Its traffic back",
            "sagemaker:updateEndpointWeightsAndCapacities",
            {**endpoint, "DesiredWeightsAndCapacities": braces(weights)},
            DATA,
            "Its traffic comes back",
            undone=_LOST,
        )
        self._comes("Its traffic comes back", "Its old version alone")
        alone = {**endpoint, "EndpointConfigName": braces(f"{_SHIFT}.old.config"), "RetainAllVariantProperties": True}
        label, comes = "Its old version alone", "Its old version comes"
        self._call(label, "sagemaker:updateEndpoint", alone, DATA, comes, undone=_LOST)
        self._comes(comes, then)
        status = f"($exists({DATA}.Status) ? {DATA}.Status : 'not seen')"
        trouble = f"($exists({DATA}.{TROUBLE}) ? '. On the way back: ' & {DATA}.{TROUBLE} : '')"
        told = f"{literal(f'{self._endpoint} does not come back, look at it: it is ')} & {status} & {trouble}"
        self._end(_LOST, "Lost", told)

    def _comes(self, label: str, then: str) -> None:
        seen = self._with({"Status": "$states.result.EndpointStatus"})
        asked = {"EndpointName": self._endpoint}
        self._call(label, "sagemaker:describeEndpoint", asked, seen, f"{label}?", undone=_LOST)
        self._choice(
            f"{label}?",
            [(f"{DATA}.Status = 'InService'", then), (f"{DATA}.Status in {UNDER_WAY}", f"{label}, waits")],
            _LOST,
        )
        self._wait(f"{label}, waits", PAUSE_SECONDS, label)
