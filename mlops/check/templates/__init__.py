"""Templates of CloudFormation, whoever wrote them: read with the place of each value, resolved for each combination of
what their conditions ask, and judged by the provider schemas, by rules of their own, and the pipeline's body and what
serves by the rules for pipelines."""
