"""One file per step type: its constructor, the references that it yields, and its :class:`mlops.ir.StepType` record."""
