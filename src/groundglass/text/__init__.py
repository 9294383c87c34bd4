"""Reports to findings: free text in, grounded `core` findings out. Rules only: nothing is learnt or downloaded.

    from groundglass import text
    report = text.read_report("Small left pleural effusion. No pneumothorax.")   # -> core.Report
    findings = text.read_findings("No pneumothorax.")                           # -> tuple[core.Finding, ...]

    labels = text.label("Small left effusion.", "chexpert14")                   # -> {"Pleural Effusion": Label(...)}

    for row in text.label_table((name, text_or_bytes), ...): ...                # many: values only, several processes

Each `Finding`:
- `what`: a Term of the ontology (kinds finding and device); narrower terms know their broader ones (`ontology().is_a`).
- `status`: "present", "absent" or "uncertain" (hedged). A finding that is historical, hypothetical or another person's
  has the status "uncertain" and the attribute `assertion` = "historical" | "hypothetical" | "other person": it says
  nothing about the patient now. Devices and surgical states after "status post" are present.
- `where`: anatomy (named in the text, else the finding's usual place) and side. A finding in two named places is two
  findings. "Heart size is normal" is cardiomegaly absent, "lungs are clear" is opacity absent in the lungs.
- `attributes` (kind: values): severity: trace, small, mild, moderate, large, severe; change: new, increased, decreased,
  unchanged, resolved; number: single, two, three, few, multiple; texture; margin; distribution; chronicity: acute,
  subacute, chronic; position (devices): satisfactory, malpositioned, or the anatomy of the tip; series; image;
  `prior KIND` for a measurement of an earlier exam; certainty of an uncertain one: probable ("likely"), possible
  ("may represent", "cannot exclude"), alternative ("scarring or atelectasis"); `compared with` (the exam that a change
  refers to); assertion as above. A recommendation is a finding, too (`what` of kind procedure: "recommendation" or
  "follow-up imaging recommendation") with the attributes procedure and interval.
- `measurements`: long axis, short axis, third axis in mm; volume mL; mean attenuation [hnsf'U];
  SUVmax g/mL{SUVbw}; angle deg; of a device: distance to structure in mm.
- `evidence`: first the sentence (`source="sentence"`, `name` = section, `span` in the given text), then the rule
  (`source="rule"`, `name` = the cue that decided, `span` = the words that name the finding).

Files come as bytes: `decode_report` finds the encoding and refuses what is not text. HTML, RTF and HL7 escapes may
stand in a report; a run of more than 1,000 characters without an end of sentence is cut at a space; masks of
identifying words ("XXXX", "[**Name**]", "___") mean nothing. `read_findings` never raises on a string.
"""

from groundglass.text.batch import Row, in_order, label_table, label_values
from groundglass.text.labels import Label, LabelSet, label, label_reports, label_set, label_sets, read_label_set
from groundglass.text.plain import decode_report
from groundglass.text.reading import read_findings, read_report, read_reports
from groundglass.text.sentences import sentences as sentence_spans

__all__ = [
    "Label",
    "LabelSet",
    "Row",
    "decode_report",
    "in_order",
    "label",
    "label_reports",
    "label_set",
    "label_sets",
    "label_table",
    "label_values",
    "read_findings",
    "read_label_set",
    "read_report",
    "read_reports",
    "sentence_spans",
]
