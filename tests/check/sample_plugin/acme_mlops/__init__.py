"""House rules of a company: what its pipelines shall not do, and a step type that only it has."""
