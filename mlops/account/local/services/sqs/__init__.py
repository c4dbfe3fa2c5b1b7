"""SQS, as ``boto3.client("sqs")`` speaks: standard queues, in the account's own store."""
