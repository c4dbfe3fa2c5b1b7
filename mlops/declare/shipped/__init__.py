"""Scripts that travel into containers as they are. Each is one file, needs nothing but Python 3.7 and its standard
library (boto3 where it says so), and is never imported by the rest of mlops."""
