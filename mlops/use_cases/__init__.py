"""What can be done with pipelines: one file per use case, for the command line, notebooks, tests and programs alike.

Comes in: targets, names or checked pipelines, in a few typed parameters or one frozen request. Goes out: frozen
results, or an error of ours. What a person may want to see meanwhile is told to a listener as :mod:`.news`. Nothing
here parses a command line or prints.
"""
