"""What serves: promote to it, look at it, ask it, take it away."""
