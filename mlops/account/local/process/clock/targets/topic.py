"""A topic of SNS: nobody is subscribed here, so what would be told is an event of the account, without what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops.account.local import events
from mlops.account.local.process.clock.target import Delivery, Target
from mlops.account.local.state import State

NOTICE = "topic.notified"


def _deliver(state: State, delivery: Delivery) -> Mapping[str, str]:
    arn = str(delivery.target["Arn"])
    topic = arn.rpartition(":")[2]
    events.tell(state, NOTICE, arn, {**delivery.ids, "topic": topic}, {"of": delivery.about})
    return {"topic": topic}


TARGET = Target(re.compile(r"arn:aws[\w-]*:sns:[^:]*:\d*:[^:]+"), _deliver)
