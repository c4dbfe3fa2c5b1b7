"""Domains of OpenSearch Service by the month: nodes by the hour, their volumes, and what UltraWarm keeps.

The developer guide, "Pricing for Amazon OpenSearch Service": traffic between the zones of a domain is not billed, nor
that between UltraWarm or cold nodes and S3; all other is at EC2's prices, and in no sum here. "Charges for
configuration changes": the nodes that are asked for are billed and no others, so that Auto-Tune costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.costs.asked import Asked
from mlops.check.costs.bounds import Bounds, at_least, together, unknown
from mlops.ir import Placed, Value
from mlops.ir.members import get
from mlops.knowledge.prices import DOMAIN, HOURS_OF_A_MONTH, WARM, WARM_GIB

_MANAGED = ("or1.", "or2.", "om2.", "oi2.")
"""Data nodes that keep their replicas in S3, which is billed by what lies there."""
_INCLUDED_IOPS, _INCLUDED_THROUGHPUT = 3000, 125
"""Of each volume of gp3."""


def month(asked: Asked, placed: Placed, domain: Mapping[str, Value]) -> Bounds:
    cluster = domain.get("ClusterConfig")
    parts = [_nodes(asked, get(cluster, "InstanceType"), get(cluster, "InstanceCount"), "data nodes")]
    if get(cluster, "DedicatedMasterEnabled") is True:
        kind, count = get(cluster, "DedicatedMasterType"), get(cluster, "DedicatedMasterCount")
        parts.append(_nodes(asked, kind, count, "dedicated masters"))
    return together([*parts, *_volumes(asked, domain), *_warm(asked, cluster), *_elsewhere(asked, cluster)])


def _nodes(asked: Asked, kind: Value, count: Value, what: str) -> Bounds:
    named, number = asked.text(kind), asked.number(count, 1)
    if named is None or number is None:
        return unknown(
            f"which and how many {what} it has is not said" if kind is None else f"its {what} are known later"
        )
    return asked.priced(DOMAIN, named, number * HOURS_OF_A_MONTH)


def _volumes(asked: Asked, domain: Mapping[str, Value]) -> Iterator[Bounds]:
    """Of each data node."""
    told = domain.get("EBSOptions")
    if get(told, "EBSEnabled") is not True:
        return
    count, size = asked.number(get(domain, "ClusterConfig", "InstanceCount"), 1), asked.number(get(told, "VolumeSize"))
    kind = asked.text(get(told, "VolumeType")) or "gp2"
    if count is None or size is None:
        yield unknown("the size of its volumes is not known")
        return
    yield asked.priced(DOMAIN, f"{kind}-gb-month", count * size)
    iops, throughput = asked.number(get(told, "Iops"), 0), asked.number(get(told, "Throughput"), 0)
    included = _INCLUDED_IOPS if kind == "gp3" else 0
    if iops is None or iops > included or throughput is None or throughput > _INCLUDED_THROUGHPUT:
        yield at_least(f"what IOPS and throughput of {kind} cost is not known here")


def _warm(asked: Asked, cluster: Value) -> Iterator[Bounds]:
    if get(cluster, "WarmEnabled") is not True:
        return
    kind, count = get(cluster, "WarmType"), get(cluster, "WarmCount")
    yield _nodes(asked, kind, count, "UltraWarm nodes")
    number, most = asked.number(count, 1), WARM_GIB.get(asked.text(kind) or "")
    if number is None or most is None:
        yield at_least("how much its UltraWarm nodes keep at most is not known")
    else:
        yield asked.priced(DOMAIN, WARM, 0, number * most)


def _elsewhere(asked: Asked, cluster: Value) -> Iterator[Bounds]:
    if get(cluster, "ColdStorageOptions", "Enabled") is True:
        yield at_least("cold storage is billed by what lies there")
    if (asked.text(get(cluster, "InstanceType")) or "").startswith(_MANAGED):
        yield at_least("managed storage of its data nodes is billed by what lies there")
    if get(cluster, "NodeOptions") is not None:
        yield at_least("what its coordinator nodes cost is not known here")
