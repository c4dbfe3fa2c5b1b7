"""Plain functions as steps: what annotations say, what a call takes and returns, and what travels."""
