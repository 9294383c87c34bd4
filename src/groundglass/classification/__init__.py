"""Image-level answers: binary banks, views, calibration, operating points."""
