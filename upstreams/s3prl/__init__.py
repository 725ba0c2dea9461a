"""Upstreams of the S3PRL hub."""
