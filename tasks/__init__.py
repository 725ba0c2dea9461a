"""Protocols, one YAML each; corpus scanners in corpora/."""
