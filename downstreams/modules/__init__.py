"""What torch heads are built of: layers whose random numbers come from a generator of their own, and pooling."""
