"""What ticks, a file each with a ``TICKER``, found by being here."""
