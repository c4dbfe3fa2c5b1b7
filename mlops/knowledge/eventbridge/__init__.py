"""What EventBridge takes: expressions of schedules, and patterns of events. No clock is read here."""
