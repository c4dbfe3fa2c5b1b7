"""Change an account: upload assets, upsert pipelines, start and follow executions, decide on models, promote them.

Written once against boto3 clients, so that AWS and the local account are the same to it.
"""
