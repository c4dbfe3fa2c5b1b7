"""Whoever has the deployer's policy may make every call that an upsert makes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlops.deploy.pipelines.upsert import upsert
from mlops.emit.policies.deployer import deployer_needs
from mlops.emit.policies.statements import policy
from mlops.project.surroundings import surroundings
from mlops.use_cases.beside import beside

from .conftest import World
from .test_upsert import calls

ALLOWED_BY = {
    "HeadObject": "s3:GetObject",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListParts": "s3:ListMultipartUploadParts",
}
"""Operations of S3 that IAM calls by another name."""


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_every_call_of_an_upsert_is_allowed(world: World) -> None:
    checked = world.compiled()
    with calls(world) as made:
        upsert(world.account, world.environment, checked)
        upsert(world.account, world.environment, world.compiled(code="print(2)\n"))
        tagged = replace(checked, definition=replace(checked.definition, tags={"team": "other"}))
        upsert(world.account, world.environment, tagged)
    around = surroundings(world.environment)
    lies = beside(checked, (), world.environment, world.folder)
    statements = policy(deployer_needs(checked.definition, around, lies)).statements
    allowed = {action for statement in statements for action in statement["Action"]}
    services = {action.partition(":")[0] for action in allowed}
    asked = {ALLOWED_BY.get(name, name) for name in made}
    assert len(asked) > 5
    assert {
        name
        for name in asked
        if name not in allowed and not any(f"{service}:{name}" in allowed for service in services)
    } == set()
