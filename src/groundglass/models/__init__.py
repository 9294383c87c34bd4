"""Model cards and weights; one load_model(name)."""
