"""Systems Manager: the parameter store."""
