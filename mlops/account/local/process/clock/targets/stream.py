"""A stream takes a record."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops.account.local.process.clock.target import Delivery, Target
from mlops.account.local.services.firehose import records
from mlops.account.local.state import State


def _deliver(state: State, delivery: Delivery) -> Mapping[str, str]:
    """The event as it is: the service adds no end of a line."""
    name = str(delivery.target["Arn"]).rpartition("/")[2]
    data = (delivery.text or "{}").encode()
    told = records.put_record(state, {"DeliveryStreamName": name, "Record": {"Data": data}})
    return {"stream": name, "record": str(told["RecordId"])}


TARGET = Target(re.compile(r"arn:aws[\w-]*:firehose:[^:]*:\d*:deliverystream/[^/]+"), _deliver)
