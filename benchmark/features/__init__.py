"""What is encoded: features, made once and kept."""
