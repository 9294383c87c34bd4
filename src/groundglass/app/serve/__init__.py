"""The workbench on the wire: an HTTP server for the viewer, for scripts and for MONAI Label's plug-ins."""
