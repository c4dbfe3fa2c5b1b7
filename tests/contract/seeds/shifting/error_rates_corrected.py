from datetime import UTC, datetime, timedelta

import boto3

cloudwatch = boto3.client("cloudwatch")


def errors(variant):
    # The average of a metric that is 0 or 1 for each request is a rate, whatever the variant's share of the traffic.
    return {
        "Id": variant.lower(),
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/SageMaker",
                "MetricName": "Invocation5XXErrors",
                "Dimensions": [
                    {"Name": "EndpointName", "Value": "my-production-endpoint"},
                    {"Name": "VariantName", "Value": variant},
                ],
            },
            "Period": 300,
            "Stat": "Average",
        },
    }


response = cloudwatch.get_metric_data(
    MetricDataQueries=[errors("ExistingModel"), errors("NewModel")],
    StartTime=datetime.now(UTC) - timedelta(hours=1),
    EndTime=datetime.now(UTC) + timedelta(minutes=5),
)
