"""What an account's executions and endpoints did, brought to where people compare it."""
