"""Data Firehose: streams, and what is put into them."""
