"""What roles must be allowed, as policies of IAM: of what a definition's steps do and name, nothing that the service
could do besides. A role's policy is a list of needs first, each with the step that it comes from."""
