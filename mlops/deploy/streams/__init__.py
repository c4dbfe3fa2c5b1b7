"""Streams of Data Firehose from outside: what is put into them, what they could not deliver, what they are."""
