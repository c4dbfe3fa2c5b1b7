"""A script that runs in the local account: it counts, and a condition asks how many."""

from pathlib import Path

from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.processing import ProcessingOutput, ScriptProcessor
from sagemaker.core.shapes import ProcessingS3Output
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

session = PipelineSession()
rows = ParameterInteger("Rows", default_value=7)
processor = ScriptProcessor(
    image_uri="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    command=["python3"],
    instance_type="ml.m5.large",
    instance_count=1,
    role=get_execution_role(session),
    sagemaker_session=session,
)
place = ProcessingS3Output(s3_uri="", local_path="/opt/ml/processing/output/report", s3_upload_mode="EndOfJob")
counted = PropertyFile(name="counted", output_name="report", path="counted.json")
count = ProcessingStep(
    "Count",
    step_args=processor.run(
        code=str(Path(__file__).parent.parent / "count_rows.py"),
        arguments=["--rows", rows.to_string()],
        outputs=[ProcessingOutput(output_name="report", s3_output=place)],
    ),
    property_files=[counted],
)
found = JsonGet(step_name="Count", property_file=counted, json_path="rows")
enough = ConditionStep(
    "Enough",
    conditions=[ConditionGreaterThanOrEqualTo(left=found, right=5)],
    if_steps=[],
    else_steps=[FailStep("TooFew", error_message=Join(on=" ", values=["only", rows]))],
)
pipeline = Pipeline(name="CountRows", parameters=[rows], steps=[count, enough], sagemaker_session=session)
