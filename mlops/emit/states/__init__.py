"""A checked pipeline, and the promotion of what it registers, as state machines of Step Functions in JSONata.

What comes out is plain JSON of the Amazon States Language. What a machine cannot do as the service does is collected
and raised, all of it at once: there is never a machine that does something else.
"""
