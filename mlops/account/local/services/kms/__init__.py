"""KMS: keys that clients look up before they name them. Nothing is encrypted here."""
