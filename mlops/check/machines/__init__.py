"""State machines of Step Functions, whoever wrote them: read with the place of each state, and judged where they are a
target themselves. What is judged is their structure, and what their tasks ask of SageMaker."""
