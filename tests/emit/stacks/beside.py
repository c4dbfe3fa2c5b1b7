"""One of each that may be declared beside a pipeline and serves nothing."""

from mlops import resources

ROLE = "arn:aws:iam::111122223333:role/ml/deliveries"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:warehouse-a1b2c3"
THIRD = {"to": "s3://acme-events/failed/", "role": ROLE}

setup = resources.NotebookInstanceLifecycleConfig("Setup", on_start="#!/bin/bash\nset -e\necho ${HOME} 100%{x}\n")
notebook = resources.NotebookInstance(
    "Research",
    instance="ml.t3.medium",
    subnet="subnet-0123456789abcdef0",
    security_groups=["sg-0123456789abcdef0"],
    volume=50,
    lifecycle=setup.lifecycle_config_name,
    repository="https://git.acme.example/notebooks",
)
resources.NotebookRestart("patches", notebook=notebook.notebook_name, when="cron(0 3 ? * SUN *)")
resources.Alarm(
    "errors-and-delay",
    queries=[
        resources.Query("rate", expression="errors / requests", label="errors per request"),
        resources.Query(
            "errors",
            metric=resources.Metric("AWS/SageMaker", "Invocation5XXErrors", {"EndpointName": "churn"}),
            statistic="Sum",
            period=60,
            returned=False,
        ),
        resources.Query(
            "requests",
            metric=resources.Metric("AWS/SageMaker", "Invocations", {"EndpointName": "churn"}),
            statistic="Sum",
            period=60,
            returned=False,
        ),
    ],
    threshold=0.01,
    comparison="GreaterThanThreshold",
)
resources.ModelPackageGroup("churn", description="Who leaves within a month", readers=["444455556666"])
resources.Domain(
    "events",
    instance="r6g.large.search",
    count=3,
    zones=3,
    volume=resources.Volume(100, throughput=250),
    masters=resources.Nodes("m6g.large.search", 3),
    access={"Version": "2012-10-17", "Statement": []},
)
resources.Stream(
    "raw",
    to="s3://acme-events/raw/!{timestamp:yyyy}/",
    errors="failed/",
    compression="GZIP",
    split="JSON",
    newline=True,
    size=64,
    backup="s3://acme-events/all/",
    function="arn:aws:lambda:us-east-1:111122223333:function:change",
)
resources.Stream("k", **THIRD, source=resources.Kinesis("arn:aws:kinesis:us-east-1:111122223333:stream/a"))
resources.Stream(
    "posted",
    **THIRD,
    endpoint=resources.HttpEndpoint(
        "https://collector.example.org/in", secret=SECRET, retry=60, attributes={"stage": "test"}, gzip=True
    ),
)
resources.Stream(
    "found",
    **THIRD,
    endpoint=resources.OpenSearch("drops", domain="arn:aws:es:us-east-1:111122223333:domain/events"),
)
resources.Stream("sent", **THIRD, endpoint=resources.Splunk("https://splunk.example.org:8088", SECRET))
resources.Stream(
    "copied",
    **THIRD,
    endpoint=resources.Redshift(
        "jdbc:redshift://a.b.us-east-1.redshift.amazonaws.com:5439/dev", "clicks", SECRET, columns="a,b"
    ),
)
resources.Stream(
    "flaked",
    **THIRD,
    endpoint=resources.Snowflake(
        "https://acme-one.snowflakecomputing.com", "db", "public", "clicks", SECRET, content="all"
    ),
)
resources.Stream(
    "frozen",
    **THIRD,
    endpoint=resources.Iceberg("lake.clicks", "arn:aws:glue:us-east-1:111122223333:catalog", keys=["id"]),
)
lines = resources.Stream("lines", to="s3://acme-events/lines/", logs="messages")
resources.EventRule("calls", pattern=resources.api_calls("sagemaker"), stream=lines.stream_arn, part="$.detail")
resources.LogSubscription("/aws/sagemaker/Endpoints/churn", stream=lines.stream_arn, pattern="ERROR")
resources.TopicRule("readings", sql="SELECT * FROM 'sensors/+'", stream=lines.stream_name, separator=",")
resources.ComponentScaling(
    "churn-a", least=0, most=4, invocations=70, schedule={"night": resources.At("cron(0 20 * * ? *)", least=0, most=1)}
)
