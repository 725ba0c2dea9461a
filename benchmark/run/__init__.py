"""What is run: plan, encode, fit, score, record."""
