"""How heads are trained by gradient."""
