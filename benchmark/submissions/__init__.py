"""Results that travel: cells published without names of speakers, and submissions checked without being believed."""
