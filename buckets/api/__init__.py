"""The API of buckets, their documents, and the addresses that these are from."""
