"""Lambda, as ``boto3.client("lambda")`` speaks: functions of Python, kept and called here."""
