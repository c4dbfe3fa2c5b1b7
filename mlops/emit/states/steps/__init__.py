"""Types of steps that are more than a call, a file each: ``STATES`` says which type it is and writes its states.

The modules do not import each other. A type without a file here is a call of its ``StepType.states_resource``
(:mod:`mlops.emit.states.calling`), or is refused with its ``StepType.not_in_states``.
"""
