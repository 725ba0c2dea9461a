"""The parameters of the heads, and what these tell of a head, without torch and scikit-learn."""
