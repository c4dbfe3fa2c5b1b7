"""ECR: repositories that clients look up by name. There is no registry behind them: nothing is pushed or pulled."""
