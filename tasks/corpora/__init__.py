"""Corpus scanners, one module per corpus."""
