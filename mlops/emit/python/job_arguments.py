"""Arguments that all jobs take: role, network, tags and keys, from wherever a request has them."""

from __future__ import annotations

from mlops.emit.python.arguments import Argument, Facts, text
from mlops.emit.python.expressions import BOOLEAN, STRING
from mlops.emit.python.source import Node, call, dictionary, listing
from mlops.emit.python.telling import one
from mlops.ir.fields import Missing


def role(path: str = "RoleArn") -> Argument:
    """Left out where it is what the pipeline runs as."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(path)
        if isinstance(value, Missing) or value == facts.scope.role:
            return None
        return one(value, facts.scope, (STRING,))

    return Argument("role", writer, path)


def _tags(facts: Facts) -> Node | None:
    """Tags in the order of their keys, as the language writes them."""
    listed = facts.at("Tags")
    if not isinstance(listed, tuple) or not listed:
        return None
    items: dict[str, Node] = {}
    for item in listed:
        match item:
            case {"Key": str(key), "Value": value, **rest} if not rest and key not in items:
                written = one(value, facts.scope, (STRING,))
                if written is None:
                    return None
                items[key] = written
            case _:
                return None
    return dictionary(items.items()) if list(items) == sorted(items) else None


def network(prefix: str) -> Argument:
    """``Network(…)`` of the members below ``prefix``."""

    def writer(facts: Facts) -> Node | None:
        said: dict[str, Node] = {}
        for name, member in (("subnets", "Subnets"), ("security_groups", "SecurityGroupIds")):
            listed = facts.at(f"{prefix}VpcConfig.{member}")
            if isinstance(listed, tuple):
                items = [one(item, facts.scope, (STRING,)) for item in listed]
                if any(item is None for item in items):
                    return None
                said[name] = listing(item for item in items if item is not None)
        for name, member in (
            ("isolated", "EnableNetworkIsolation"),
            ("encrypted", "EnableInterContainerTrafficEncryption"),
        ):
            value = facts.at(f"{prefix}{member}")
            if not isinstance(value, Missing):
                written = one(value, facts.scope, (BOOLEAN,))
                if written is None:
                    return None
                said[name] = written
        return call("Network", (), said) if said else None

    return Argument("network", writer, prefix.rstrip("."))


TAGS = Argument("tags", _tags, "Tags")


def job(network_prefix: str, kms_key: str, volume_kms_key: str) -> tuple[Argument, ...]:
    """What every job takes; the paths of its keys."""
    keys = (text("kms_key", kms_key), text("volume_kms_key", volume_kms_key))
    return (role(), network(network_prefix), *keys, TAGS)
