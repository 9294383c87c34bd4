/** What the server says: the parts of the API's documents (app/serve/models.py) that the viewer reads. */

import type { Affine } from "../image/nifti";

export interface Info {
  serve: { dicomweb: boolean };
}

export interface StudySummary {
  id: string;
  name: string;
  origin?: string;
  modalities: string[];
  date: string | null;
  images: number;
  warnings: string[];
  has_report: boolean;
  job: string | null;
}

export interface ImageInfo {
  id: string;
  name: string;
  modality: string;
  body_part: string | null;
  description: string | null;
  shape: number[];
  /** null where the file does not say how large a pixel is. */
  spacing: number[] | null;
  affine: Affine;
  channels: number;
  is_volume: boolean;
  is_moving: boolean;
  slice_axis: number | null;
  orientation_known: boolean;
  units: string;
  usable: boolean;
  window: { center: number; width: number } | null;
  warnings: string[];
}

export interface Job {
  id: string;
  study: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  message: string;
  steps: string[];
}

/** RFC 9457. */
export interface Problem {
  title: string;
  detail?: string;
}

export interface Line {
  name?: string;
  points: number[][];
}

export interface Measurement {
  kind: string;
  value: number | null;
  unit: string;
  low: number | null;
  high: number | null;
  outside: boolean;
}

export type Verdict = "open" | "accepted" | "rejected";

export interface Finding {
  id: string;
  term: string;
  code: string;
  status: "present" | "absent" | "uncertain";
  side: string | null;
  anatomy: string | null;
  image: string | null;
  seed_voxel: number[] | null;
  box: { start: number[]; stop: number[] } | null;
  mask_url: string | null;
  colour: number[] | null;
  volume_ml: number | null;
  score: number | null;
  measurements: Measurement[];
  sentences: string[];
  part_of: string | null;
  source: "model" | "person";
  verdict: Verdict;
  sentence: string | null;
}

export interface Sentence {
  text: string;
  findings?: string[];
}

export interface Section {
  name: string;
  heading?: string;
  sentences: Sentence[];
}

/** A finding as report.json has it: only what the server's own view leaves out. */
export interface StoredFinding {
  id: string;
  where?: { points?: Line[] };
  measurements?: { geometry?: Line[] }[];
  evidence?: { source: string; name: string; version?: string; detail?: string }[];
}

export interface ReportView {
  document: {
    report: {
      title?: string;
      notice?: string;
      language?: string;
      sections: Section[];
      findings: StoredFinding[];
      models?: { name: string; version: string; measured_on: string }[];
    };
  };
  findings: Finding[];
  exports: ExportForm[];
}

export interface Change {
  kind: string;
  unit: string;
  before: number;
  now: number;
  percent: number | null;
  direction: "increased" | "decreased" | "stable";
}

export interface Comparison {
  pairs: { now: Finding | null; prior: Finding | null; status: string; changes: Change[] }[];
}

export interface PromptResult {
  revision: number;
  seconds: number;
  voxels: number;
  volume_ml: number | null;
}

export type PromptKind = "click" | "scribble" | "box";

export interface Prompt {
  kind: PromptKind;
  positive: boolean;
  /** Both null in a flat picture. */
  axis: number | null;
  slice: number | null;
  points: [number, number][];
}

export const EXPORTS = ["seg", "sr", "nifti", "json", "pdf", "html", "fhir"] as const;
export type ExportForm = (typeof EXPORTS)[number];

export interface Folder {
  path: string;
  entries: { name: string; path: string; kind: "folder" | "file" }[];
  truncated: boolean;
}

export interface RemoteStudy {
  uid: string;
  date: string;
  description: string;
  patient_id: string;
  modalities: string[];
}
