"""Images with known truth: phantoms, projections, domain-randomised brains."""
