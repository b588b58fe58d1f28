"""Volumes in an object store, against a real S3 server that runs here, with and without faults on the way."""
