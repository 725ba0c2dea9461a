"""Heads that read a representation out, one module per family; recipes in recipes/."""
