"""What Data Firehose says of a stream before it makes one, and what it calls the objects that one writes."""
