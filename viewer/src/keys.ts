/** Keys that work anywhere in the room, unless one is writing. */

import { editSelected } from "./panels/ReportPanel";
import { findingById, step } from "./state/findings";
import { read, review } from "./state/reading";
import { canSegment, propagate, redo, undo } from "./state/segment";
import {
  helpOpen, layout, linked, mainPlane, masksVisible, panelOpen, prior, railOpen, report, scene, selected, study, tool,
  type Layout, type Tool,
} from "./state/store";

const TOOLS: Record<string, Tool> = { v: "crosshair", w: "window", h: "pan", d: "measure", s: "add", t: "remove", b: "scribble", q: "box" };
const LAYOUTS: Record<string, Layout> = { f: "focus", g: "grid", l: "single" };

function decide(verdict: "accepted" | "rejected"): void {
  const finding = findingById(selected.value);
  if (finding) void review(finding.id, { verdict: finding.verdict === verdict ? "open" : verdict });
}

function nextPlane(): void {
  const planes = scene.value?.planes ?? [];
  const at = planes.findIndex((plane) => plane.name === mainPlane.value);
  mainPlane.value = planes[(at + 1) % planes.length]?.name ?? null;
}

const PLAIN: Record<string, () => void> = {
  "?": () => (helpOpen.value = true),
  "[": () => (railOpen.value = !railOpen.value),
  "]": () => (panelOpen.value = !panelOpen.value),
  m: () => (masksVisible.value = !masksVisible.value),
  i: () => scene.value && (scene.value.inverted.value = !scene.value.inverted.value),
  "0": () => scene.value?.resetView(),
  o: nextPlane,
  n: () => step(1),
  k: () => step(-1),
  a: () => decide("accepted"),
  x: () => decide("rejected"),
  e: editSelected,
  r: () => {
    if (study.value && !report.value?.document.report.sections.length) void read();
  },
  p: () => void propagate(),
  y: () => prior.value && (linked.value = !linked.value),
  Escape: () => {
    if (tool.value !== "crosshair") tool.value = "crosshair";
    else selected.value = null;
  },
};

export function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (target.closest("input:not([type=range]), textarea, select, dialog")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if ((event.ctrlKey || event.metaKey) && key === "z") {
    event.preventDefault();
    return void (event.shiftKey ? redo() : undo());
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const preset = scene.value?.presets[Number(key) - 1];
  if (key >= "1" && key <= "9" && preset) {
    scene.value!.window.value = { center: preset.center, width: preset.width };
  } else if (key in TOOLS && scene.value) {
    if (canSegment.value || !["s", "t", "b", "q"].includes(key)) tool.value = TOOLS[key];
  } else if (key in LAYOUTS && scene.value?.isVolume) {
    layout.value = LAYOUTS[key];
  } else if (PLAIN[key]) {
    PLAIN[key]();
  } else return;
  event.preventDefault();
}
