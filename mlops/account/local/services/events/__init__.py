"""EventBridge: rules and their targets. Nothing fires here."""
