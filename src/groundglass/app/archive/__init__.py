"""`groundglass archive`: thousands of studies through one task, on one machine or a cluster, stopped and resumed.

What is on disk is the truth: a study is done when its folder lies under `studies/` (one atomic rename), and set aside
when its reasons lie under `quarantine/`. The manifest (SQLite) is the index of both and the plan of what is left.
"""
