"""Objectives, one file each: what `train` minimises."""
