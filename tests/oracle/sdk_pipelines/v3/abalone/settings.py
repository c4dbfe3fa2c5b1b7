"""What the pipeline's file has beside it in a project's repository."""

from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString

processing_instances = ParameterInteger("ProcessingInstanceCount", default_value=1)
training_instance = ParameterString("TrainingInstanceType", default_value="ml.m5.xlarge")
approval = ParameterString("ModelApprovalStatus", default_value="PendingManualApproval")
data = ParameterString("InputDataUrl", default_value="s3://servicecatalog-seedcode/abalone.csv")
worst = ParameterFloat("MseThreshold", default_value=6.0)
