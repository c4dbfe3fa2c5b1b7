"""IAM: roles that clients look up before they name them. Nothing is forbidden here."""
