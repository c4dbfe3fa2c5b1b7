"""From a course to what is done to an endpoint: by SageMaker's deployment guardrails, or by weights of two variants."""
