"""What metric alarms and composite ones share: who is told, by what they are judged, and what others may name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mlops.declare.members import merge
from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.references import StringProperty
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps.shared_arguments import Flag, Text
from mlops.ir import Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering


class Alarming(DeclaredResource):
    """``about`` is its description."""

    named_by: ClassVar[str | None] = "AlarmName"

    def tells(
        self,
        description: Text | None,
        on_alarm: Sequence[Text],
        on_ok: Sequence[Text],
        on_insufficient_data: Sequence[Text],
        actions_enabled: Flag | None,
    ) -> None:
        self.about, self.actions_enabled = description, actions_enabled
        self.on_alarm, self.on_ok = tuple(on_alarm), tuple(on_ok)
        self.on_insufficient_data = tuple(on_insufficient_data)

    def refusals(self, request: Mapping[str, Any]) -> Iterator[str]:
        """What the service refuses of it, in sentences."""
        raise NotImplementedError

    def request(self, lowering: Lowering) -> dict[str, Value]:
        told = super().request(lowering)
        with speaking_of(self.where):
            for fault in () if self.wrong else self.refusals(merge(told, self.arguments)):
                misuse("D064", f"the alarm {self.declared_name}: {fault.removesuffix('.')}", help="see docs/alarms.md")
        return told

    @property
    def alarm_name(self) -> StringProperty:
        """For whoever names it, such as a composite alarm."""
        return StringProperty(self.name, "AlarmName")

    @property
    def alarm_arn(self) -> StringProperty:
        return StringProperty(self.name, "AlarmArn")
