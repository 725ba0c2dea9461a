"""Rendering of the leaderboard, and published results."""
