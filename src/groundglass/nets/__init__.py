"""Network parts that MONAI and transformers lack; one paper per file."""
