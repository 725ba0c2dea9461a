"""Representations of speech, one module per family."""
