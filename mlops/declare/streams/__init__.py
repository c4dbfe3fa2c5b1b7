"""Where a stream sends records instead of writing them to S3, and where it takes them from instead of being put to: a
file each, with what an author writes and the member of the request that it is."""
