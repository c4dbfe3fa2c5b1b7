"""The processes that own executions and endpoints, and what a run takes of the account."""
