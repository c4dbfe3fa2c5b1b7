"""CloudWatch Logs over the files that steps and model servers write."""
