"""OpenSearch, where an environment has one."""
