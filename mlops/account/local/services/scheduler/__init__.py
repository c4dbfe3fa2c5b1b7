"""EventBridge Scheduler: schedules are kept and told, and never fire."""
