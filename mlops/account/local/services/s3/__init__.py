"""S3: buckets, objects, listings, copies, uploads in parts."""
