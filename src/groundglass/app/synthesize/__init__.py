"""`groundglass synthesize`: images with known truth. One file per command; each imports its parts when it runs."""
