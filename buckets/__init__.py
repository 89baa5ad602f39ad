"""Content buckets: documents that agents may read, the passages they are cut into, and the search in them."""
