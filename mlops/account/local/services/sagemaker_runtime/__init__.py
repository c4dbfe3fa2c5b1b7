"""SageMaker Runtime: what is asked of an endpoint."""
