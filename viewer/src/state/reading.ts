/** Asking for a reading, following its progress, and reviewing what came back. */

import { signal } from "@preact/signals";
import { maskOfSamples, type VoxelMask } from "../image/mask";
import { readNifti } from "../image/nifti";
import { api, ServerError } from "../server/api";
import type { Finding, Job, Verdict } from "../server/types";
import { Overlay } from "../view/scene";
import { allFindings, colourOf, isStructure, titleOf } from "./findings";
import {
  announce, attempt, complain, complaint, images, opacities, overlays, panelTab, prior, report, scene, selected, shown, studies, study,
} from "./store";

export interface Progress {
  job: string;
  /** Messages in the order in which they came; the last is going on. */
  steps: string[];
}

/** Readings that go on, by study. */
export const progress = signal<Readonly<Record<string, Progress>>>({});

function note(owner: string, now: Progress | null): void {
  const { [owner]: _ended, ...others } = progress.value;
  progress.value = now ? { ...others, [owner]: now } : others;
}

export function clearReport(): void {
  panelTab.value = "report";
  report.value = null;
  overlays.value = [];
  selected.value = null;
  shown.value = new Set();
  opacities.value = {};
}

/** Fetch the report of the open study, if it has one. */
export async function loadReport(): Promise<void> {
  const owner = study.value;
  if (!owner) return;
  try {
    const found = await api.report(owner.id);
    if (study.value !== owner) return;
    report.value = found;
    shown.value = new Set(allFindings().filter((finding) => !isStructure(finding)).map((finding) => finding.id));
    refreshOverlays().catch(complain);
  } catch (error) {
    if (!(error instanceof ServerError && (error.status === 404 || error.status === 409))) throw error;
  }
}

const masks = new Map<string, Overlay>();

/** Masks of the findings that lie on the shown image, one after the other: those that are shown first. */
export async function refreshOverlays(): Promise<void> {
  const [owner, onto] = [study.value, scene.value];
  if (!owner || !onto) return;
  const here = allFindings().filter((finding) => finding.mask_url && isOn(finding.image, onto.info));
  overlays.value = here.map((finding) => masks.get(keyOf(owner.id, finding))).filter((known) => known !== undefined).sort((a, b) => sizeOf(b) - sizeOf(a));
  here.sort((a, b) => Number(isStructure(a)) - Number(isStructure(b)));
  for (const finding of here) {
    const overlay = await overlayOf(owner.id, finding);
    if (scene.value !== onto || !report.value) return;
    // Large ones are drawn first, so that a lesion lies over its organ.
    overlays.value = [...overlays.value.filter((o) => o.id !== overlay.id), overlay].sort((a, b) => sizeOf(b) - sizeOf(a));
  }
}

const sizeOf = ({ mask }: Overlay) => mask.extent[0] * mask.extent[1] * mask.extent[2];

const keyOf = (owner: string, finding: Finding) => `${owner}/${finding.id}/${finding.mask_url}`;

/** Keep a mask that is here already under the finding that was made of it. */
export function rememberMask(owner: string, finding: Finding, mask: VoxelMask): void {
  masks.set(keyOf(owner, finding), new Overlay(finding.id, titleOf(finding), colourOf(finding), mask));
}

function forgetMasks(beginning: string): void {
  for (const key of masks.keys()) if (key.startsWith(beginning)) masks.delete(key);
}

async function overlayOf(owner: string, finding: Finding): Promise<Overlay> {
  const key = keyOf(owner, finding);
  const known = masks.get(key);
  if (known) return known;
  const { samples, shape } = await readNifti(await api.findingMask(owner, finding.id));
  const fresh = new Overlay(finding.id, titleOf(finding), colourOf(finding), maskOfSamples(samples, shape));
  masks.set(key, fresh);
  return fresh;
}

function isOn(name: string | null, image: { id: string; name: string }): boolean {
  return name === null ? images.value.length === 1 : name === image.id || name === image.name;
}

export async function read(wish: { clinical?: string; language?: string } = {}): Promise<void> {
  const owner = study.value;
  if (!owner || progress.value[owner.id]) return;
  const before = prior.value?.study.id;
  const job = await attempt("Asking for a reading", () => api.read(owner.id, { ...wish, prior_study: before }));
  if (!job) return;
  note(owner.id, { job: job.id, steps: [] });
  announce("The reading has begun.");
  follow(owner.id, job.id);
}

/** Follow a reading that was begun before, in another window perhaps. */
export async function resume(owner: string, job: string): Promise<void> {
  if (progress.value[owner]) return;
  const { state } = await api.job(job);
  if (state !== "queued" && state !== "running") return;
  note(owner, { job, steps: [] });
  follow(owner, job);
}

function follow(owner: string, job: string): void {
  const events = api.jobEvents(job);
  const end = () => {
    events.close();
    if (progress.value[owner]?.job === job) note(owner, null);
  };
  const said = (event: Event) => JSON.parse((event as MessageEvent).data) as Job;
  events.addEventListener("progress", (event) => {
    const now = progress.value[owner];
    if (now?.job === job) note(owner, { job, steps: [...now.steps, said(event).message] });
  });
  events.addEventListener("done", () => {
    end();
    announce("The reading is done.");
    forgetMasks(`${owner}/`);
    studies.value = studies.value.map((known) => (known.id === owner ? { ...known, has_report: true } : known));
    if (study.value?.id === owner) loadReport().catch(complain);
  });
  events.addEventListener("failed", (event) => {
    end();
    const { state, message } = said(event);
    if (state === "cancelled") announce("The reading was stopped.");
    else complaint.value = { message: `The reading stopped: ${message}` };
  });
}

export async function stopReading(): Promise<void> {
  const running = study.value && progress.value[study.value.id];
  if (running) await attempt("Stopping", () => api.cancel(running.job));
}

/** Store a verdict or a sentence; the screen follows at once and goes back if the server refuses. */
export async function review(id: string, change: { verdict?: Verdict; sentence?: string | null }): Promise<void> {
  const [owner, before] = [study.value, report.value];
  if (!owner || !before) return;
  report.value = { ...before, findings: before.findings.map((known) => (known.id === id ? { ...known, ...change } : known)) };
  if (change.verdict) announce(change.verdict === "open" ? "Open again." : `The finding is ${change.verdict}.`);
  try {
    await api.review(owner.id, id, change);
  } catch (error) {
    report.value = before;
    complain(error);
  }
}

/** Delete a finding that a reader drew. */
export async function removeFinding(id: string): Promise<void> {
  const owner = study.value;
  if (!owner) return;
  await attempt("Deleting the finding", async () => {
    await api.removeFinding(owner.id, id);
    forgetMasks(`${owner.id}/${id}/`);
    if (selected.value === id) selected.value = null;
    const before = report.value!;
    report.value = { ...before, findings: before.findings.filter((known) => known.id !== id) };
    overlays.value = overlays.value.filter((overlay) => overlay.id !== id);
  });
}
