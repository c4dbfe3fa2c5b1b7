"""The catalog of Glue: databases and tables, which say how records are written and read."""
