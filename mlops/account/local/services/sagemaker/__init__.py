"""SageMaker: pipelines, executions, jobs, models, endpoints, the registry, tags."""
