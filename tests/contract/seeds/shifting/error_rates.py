import boto3
from datetime import datetime, timedelta

# CloudWatchクライアントの初期化
cloudwatch = boto3.client('cloudwatch')

# 新旧モデルのエラー率を比較
response = cloudwatch.get_metric_data(
    MetricDataQueries=[
        {
            'Id': 'existing_model_errors',
            'MetricStat': {
                'Metric': {
                    'Namespace': 'AWS/SageMaker',
                    'MetricName': 'ModelError',
                    'Dimensions': [
                        {
                            'Name': 'EndpointName',
                            'Value': 'my-production-endpoint'
                        },
                        {
                            'Name': 'VariantName',
                            'Value': 'ExistingModel'
                        }
                    ]
                },
                'Period': 300,
                'Stat': 'Sum'
            }
        },
        {
            'Id': 'new_model_errors',
            'MetricStat': {
                'Metric': {
                    'Namespace': 'AWS/SageMaker',
                    'MetricName': 'ModelError',
                    'Dimensions': [
                        {
                            'Name': 'EndpointName',
                            'Value': 'my-production-endpoint'
                        },
                        {
                            'Name': 'VariantName',
                            'Value': 'NewModel'
                        }
                    ]
                },
                'Period': 300,
                'Stat': 'Sum'
            }
        }
    ],
    StartTime=datetime.utcnow() - timedelta(hours=1),
    EndTime=datetime.utcnow()
)
