"""How it serves, what of it is kept, and when somebody has to be woken."""

from mlops import resources

model = resources.Model("tumours", group="tumours")
config = resources.EndpointConfig(
    "tumours",
    model=model.model_name,
    instance="ml.m5.large",
    capture=resources.Capture("s3://mlops-local/captured", percent=100),
)
resources.Endpoint("tumours", config=config.config_name)
resources.Alarm(
    "tumours-drift",
    metric=resources.Metric("Tumours", "Drift", {"Endpoint": "tumours"}),
    statistic="Maximum",
    period=10,
    comparison="GreaterThanThreshold",
    threshold=0.25,
    missing="notBreaching",
)
