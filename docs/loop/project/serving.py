"""How it serves, what of it is kept, and when somebody has to be woken."""

from mlops import resources

FEATURES = [
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave_points",
    "symmetry",
    "fractal_dimension",
]

model = resources.Model("tumours", group="tumours")
config = resources.EndpointConfig(
    "tumours",
    model=model.model_name,
    instance="ml.m5.large",
    capture=resources.Capture("s3://mlops-local/captured", percent=100),
)
endpoint = resources.Endpoint("tumours", config=config.config_name)
resources.Monitor(
    "tumours-watch",
    endpoint=endpoint.endpoint_name,
    baseline="s3://mlops-local/tumours/baseline/",
    label_column="benign",
    drift=resources.Drift(false_alarms=0.01),
)
resources.Monitor(
    "tumours-right",
    endpoint=endpoint.endpoint_name,
    features=FEATURES,
    answers=["benign"],
    model_quality=resources.ModelQuality(
        "BinaryClassification", probability="benign", threshold=0.5, at_least={"accuracy": 0.8}
    ),
)
resources.Alarm(
    "tumours-drift",
    metric=resources.Metric(
        "/aws/sagemaker/Endpoints/data-metrics",
        "feature_baseline_drift_radius",
        {"Endpoint": "tumours", "MonitoringSchedule": "tumours-watch"},
    ),
    statistic="Maximum",
    period=10,
    periods=2,
    datapoints=1,
    comparison="GreaterThanThreshold",
    threshold=0.25,
    missing="notBreaching",
)
