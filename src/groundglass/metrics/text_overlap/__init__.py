"""Scores of how far a text's words overlap with a reference's."""
