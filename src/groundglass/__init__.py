"""groundglass: images and reports in; grounded, measured, checked findings and reports out."""

__version__ = "0.1.0"
