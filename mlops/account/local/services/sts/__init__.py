"""STS: who am I."""
