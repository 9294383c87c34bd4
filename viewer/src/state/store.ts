/** What the viewer knows and shows, as signals. */

import { computed, signal } from "@preact/signals";
import type { Info, ImageInfo, ReportView, StudySummary } from "../server/types";
import type { Overlay, Scene } from "../view/scene";

export type Tool = "crosshair" | "window" | "pan" | "measure" | "add" | "remove" | "scribble" | "box";
export const SEGMENT_TOOLS: readonly Tool[] = ["add", "remove", "scribble", "box"];
export type Layout = "focus" | "grid" | "single";

export const info = signal<Info | null>(null);
export const studies = signal<StudySummary[]>([]);
export const study = signal<StudySummary | null>(null);
export const images = signal<ImageInfo[]>([]);
export const scene = signal<Scene | null>(null);
/** The scene of an earlier study, shown beside. */
export const prior = signal<{ study: StudySummary; scene: Scene } | null>(null);
export const linked = signal(true);
export const report = signal<ReportView | null>(null);
export const overlays = signal<Overlay[]>([]);

export const tool = signal<Tool>("crosshair");
export const layout = signal<Layout>("focus");
/** Name of the plane that is shown large. */
export const mainPlane = signal<string | null>(null);
export const selected = signal<string | null>(null);
export const hovered = signal<readonly string[]>([]);
export const shown = signal<ReadonlySet<string>>(new Set());
export const masksVisible = signal(true);
export const opacity = signal(0.28);
/** Opacity of single masks, where the reader set one. */
export const opacities = signal<Readonly<Record<string, number>>>({});

export const railOpen = signal(true);
export const panelOpen = signal(true);
export type PanelTab = "report" | "review" | "masks";
export const panelTab = signal<PanelTab>("report");
export const helpOpen = signal(false);
export const busy = signal<{ message: string; share: number | null } | null>(null);

export interface Complaint {
  message: string;
  retry?: () => void;
}
export const complaint = signal<Complaint | null>(null);
/** Read aloud by screen readers. */
export const announcement = signal("");

export const isSegmenting = computed(() => SEGMENT_TOOLS.includes(tool.value));

export function announce(message: string): void {
  // The same words twice would not be read twice.
  announcement.value = announcement.value === message ? `${message}\u00a0` : message;
}

/** Run a step that may fail; say in plain words what happened. */
export async function attempt<T>(message: string, step: () => Promise<T>): Promise<T | null> {
  const own = { message, share: null };
  busy.value = own;
  try {
    return await step();
  } catch (error) {
    complain(error);
    return null;
  } finally {
    if (busy.value?.message === message) busy.value = null;
  }
}

export function complain(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  complaint.value = { message };
}
