"""`groundglass label`: labels of many free-text reports, streamed from files to a table."""
