"""An environment of ``mlops.toml`` as the record that other layers read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlops.ir.surroundings import Start, Surroundings
from mlops.project.environments import Environment
from mlops.project.starts import Schedule, Trigger


def surroundings(environment: Environment) -> Surroundings:
    return Surroundings(
        environment=environment.name,
        region=environment.region,
        role=environment.role,
        bucket=environment.bucket,
        account=environment.account,
        prefix=environment.prefix,
        kms_key=environment.kms_key,
        subnets=tuple(environment.subnets),
        security_groups=tuple(environment.security_groups),
        network_isolation=environment.network_isolation,
        traffic_encryption=environment.traffic_encryption,
        tags=environment.tags,
        parameters=environment.parameters,
        parallelism=environment.parallelism,
        schedules=tuple(_starts(environment.schedules, environment.role)),
        triggers=tuple(_starts(_triggers(environment), environment.role)),
    )


def _triggers(environment: Environment) -> Mapping[str, Trigger]:
    if not environment.feedback:
        return environment.triggers
    from mlops.project.feedback import triggers_of  # it needs pydantic

    return triggers_of(environment)


def _starts(declared: Mapping[str, Schedule] | Mapping[str, Trigger], role: str) -> Iterable[Start]:
    for name, start in sorted(declared.items()):
        yield Start(
            name=name,
            pipeline=start.pipeline,
            role=start.role or role,
            expression=start.expression if isinstance(start, Schedule) else None,
            timezone=start.timezone if isinstance(start, Schedule) else None,
            event=start.event if isinstance(start, Trigger) else {},
            parameters=start.parameters,
            description=start.description,
            enabled=start.enabled,
        )
