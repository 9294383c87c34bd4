"""`groundglass node`: a DICOM node that receives studies, reads them and sends SEG and SR back.

The files under `images/` are the truth of what was received, the ledger (SQLite) is the truth of what is to be done.
Every step ends with one atomic act (a rename, a transaction) and may be repeated: results carry UIDs derived from what
they were made of, so that an archive takes a second delivery for the first.
"""
