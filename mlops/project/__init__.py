"""What surrounds a pipeline: its project's root, ``mlops.toml``, ``mlops.lock``, and content addresses of sources."""
