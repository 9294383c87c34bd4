"""Masks from pixels: automatic, by text, interactive."""
