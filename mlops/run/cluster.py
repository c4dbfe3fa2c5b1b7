"""The hosts of one job: their names and addresses, what each is told of the others, and its share of the data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from mlops.ir.dataclass import dataclass
from mlops.knowledge.distributions import MOST_HOSTS, too_many
from mlops.run.outcome import StepFailed

_ONE_GROUP = "homogeneousCluster"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Host:
    """``address`` is one of the loopback interface's, which has the whole of 127.0.0.0/8."""

    name: str
    address: str
    instance: str
    group: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """``hosts`` are in the order of their numbers; algo-1 is the first."""

    hosts: tuple[Host, ...]

    @property
    def addresses(self) -> dict[str, str]:
        return {host.name: host.address for host in self.hosts}

    @property
    def names(self) -> list[str]:
        """Sorted as text, which is how the service lists them."""
        return sorted(self.addresses)

    @property
    def interface(self) -> str:
        """Several hosts meet on the loopback interface; one alone is told what the toolkit takes for granted."""
        return "lo" if len(self.hosts) > 1 else "eth0"

    def resource_config(self, host: Host) -> dict[str, Any]:
        """resourceconfig.json of a training job's host."""
        groups = {item.group: item.instance for item in self.hosts}
        return {
            "current_host": host.name,
            "current_instance_type": host.instance,
            "current_group_name": host.group,
            "hosts": self.names,
            "instance_groups": [
                {
                    "instance_group_name": group,
                    "instance_type": instance,
                    "hosts": sorted(item.name for item in self.hosts if item.group == group),
                }
                for group, instance in groups.items()
            ],
            "network_interface_name": self.interface,
        }


def cluster(job: str, config: Mapping[str, Any]) -> Cluster:
    """``config`` is ResourceConfig of a training job or ClusterConfig of a processing job. Raises
    :class:`StepFailed`. Which numbers the hosts of which instance group get is not documented: here they count on."""
    listed: list[tuple[str, str]] = []
    for group in config.get("InstanceGroups") or [{**config, "InstanceGroupName": _ONE_GROUP}]:
        count, name = group.get("InstanceCount", 1), str(group.get("InstanceGroupName"))
        if not isinstance(count, int) or count < 1 or len(listed) + count > MOST_HOSTS:
            raise StepFailed(too_many(count))
        listed += [(str(group.get("InstanceType") or "local"), name)] * count
    addresses = _addresses(job, len(listed))
    return Cluster(
        tuple(
            Host(f"algo-{number}", address, instance, group)
            for number, (address, (instance, group)) in enumerate(zip(addresses, listed, strict=True), start=1)
        )
    )


def _addresses(job: str, count: int) -> list[str]:
    """Other ones for each job, as far as possible: jobs that run side by side may share one network."""
    if count == 1:
        return ["127.0.0.1"]
    digest = hashlib.sha256(job.encode()).digest()
    return [f"127.{1 + digest[0] % 254}.{digest[1]}.{number}" for number in range(1, count + 1)]


def share(items: Sequence[_T], position: int, count: int) -> list[_T]:
    """ShardedByS3Key: each of ``count`` hosts gets about the same number of objects, and none where they are fewer than
    the hosts. Which ones is not documented: here every ``count``-th in the order of keys.

    >>> share("abcde", 0, 2), share("abcde", 1, 2), share("a", 1, 2)
    (['a', 'c', 'e'], ['b', 'd'], [])
    """
    return list(items[position::count])
