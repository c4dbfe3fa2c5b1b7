"""What serves, declared without a pipeline."""

from mlops import resources

model = resources.Model("churn", group="churn")
config = resources.EndpointConfig(
    "churn",
    model=model.model_name,
    instance="ml.m5.large",
    count=4,
    capture=resources.Capture("s3://acme-ml-production/captured", percent=20),
)
endpoint = resources.Endpoint("churn", config=config.config_name)
resources.Alarm(
    "churn-errors",
    metric=resources.Metric(
        "AWS/SageMaker", "Invocation5XXErrors", {"EndpointName": endpoint.endpoint_name, "VariantName": "AllTraffic"}
    ),
    statistic="Average",
    threshold=0.01,
    comparison="GreaterThanThreshold",
    period=60,
    periods=2,
)
resources.CompositeAlarm("churn", rule="ALARM(churn-errors)", description="what people are told of")
