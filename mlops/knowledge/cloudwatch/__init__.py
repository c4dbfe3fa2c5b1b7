"""What CloudWatch makes of values: the grammar of metric math, of rules of composite alarms, and how an alarm stands.
Checking and the local account judge by the same."""
