"""Interactive segmentation from the command line."""
