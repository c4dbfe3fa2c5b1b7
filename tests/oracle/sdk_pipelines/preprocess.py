"""What the steps below run; it is shipped, not imported."""

print("prepared")
