"""Files and packages: reading and writing that knows nothing of speech."""
