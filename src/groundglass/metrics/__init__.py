"""Scores with their intervals."""
