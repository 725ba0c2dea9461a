"""Pretrained encoders of speech through transformers."""
