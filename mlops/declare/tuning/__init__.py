"""The parts of a Tuning: where it looks, what for, what each of its jobs runs, and what it found."""
