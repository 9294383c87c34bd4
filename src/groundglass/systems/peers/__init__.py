"""Programs that a proof holds its figures against, each run by an interpreter of its own.

They need packages that do not go together with ours, so a proof starts them as files under the interpreter that an
environment variable names, and records "not run" where it is not set.
"""
