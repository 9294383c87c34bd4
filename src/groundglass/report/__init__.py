"""Findings to words and pages, and words back to findings."""
