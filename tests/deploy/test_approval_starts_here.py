"""An approval starts a pipeline in the local account, and its failure lands in a stream: by what is declared."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

from mlops.account.local import LocalAccount
from mlops.account.local.process.clock.ticking import Clock
from mlops.account.local.services.firehose import records
from mlops.check.sources import open_one
from mlops.deploy.pipelines.upsert import upsert
from mlops.project.starts import Trigger

from .conftest import World
from .test_declared import LOCAL, upserted

PROMOTION = """
from mlops import Fail, Pipeline, join

with Pipeline("promotion") as pipeline:
    version = pipeline.string("Version", default="none")
    Fail("Refused", join("nobody promotes ", version))
"""
APPROVED = Trigger(
    pipeline="promotion",
    event={
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": ["churn"], "ModelApprovalStatus": ["Approved"]},
    },
    parameters={"Version": "$.detail.ModelPackageArn"},
)
FAILURES = """
from mlops import resources
events = resources.Stream("events", to="s3://acme-events/all/", newline=True)
resources.EventRule(
    "failures",
    pattern={{
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        "detail": {{"currentPipelineExecutionStatus": ["Failed"]}},
    }},
    stream=events.stream_arn,
)
"""


@LOCAL
def test_an_approval_starts_a_pipeline_whose_failure_lands_in_a_stream(world: World, monkeypatch: Any) -> None:
    account = world.account
    assert isinstance(account, LocalAccount)
    put: list[dict[str, Any]] = []
    whole = records.put_record

    def seen(state: Any, request: Any) -> Any:
        put.append(json.loads(request["Record"]["Data"]))
        return whole(state, request)

    monkeypatch.setattr(records, "put_record", seen)
    (world.folder / "promotion.py").write_text(PROMOTION)
    (pipeline,) = open_one(str(world.folder / "promotion.py"), "local").pipelines
    upsert(account, replace(world.environment, triggers={"approved": APPROVED}), pipeline)
    upserted(world, FAILURES)
    sagemaker = account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    container = {"Image": "i", "ModelDataUrl": "s3://acme-ml/m.tar.gz"}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["text/csv"]},
    )["ModelPackageArn"]
    clock = Clock(account.state)
    clock.turn()
    assert not sagemaker.list_pipeline_executions(PipelineName="promotion")["PipelineExecutionSummaries"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    clock.turn()
    (execution,) = sagemaker.list_pipeline_executions(PipelineName="promotion")["PipelineExecutionSummaries"]
    found = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution["PipelineExecutionArn"])
    assert found["PipelineParameters"] == [{"Name": "Version", "Value": arn}]
    ends = time.monotonic() + 120
    while not put and time.monotonic() < ends:
        time.sleep(0.1)
        clock.turn()
    (told,) = put
    assert told["detail"]["pipelineExecutionArn"] == execution["PipelineExecutionArn"]
    assert told["detail"]["previousPipelineExecutionStatus"] == "Executing"
    (made,) = account.events.read(kinds=["delivery.made"], ids={"stream": "events"})
    assert made.ids["rule"] == "mlops-event-rule-failures"
