"""Features that were designed, not learnt."""
