"""`groundglass compare`: predictions against truth, one file per kind of prediction.

`settings` holds the options that all kinds share, `cases` pairs files, `records` reads tables, `batch` scores many
cases in several processes, `run` makes the summary and the tests, `printing` shows them.
"""
