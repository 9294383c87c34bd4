/** Interactive segmentation: prompts go to a session on the server, the changed slice comes back. */

import { computed, effect, signal } from "@preact/signals";
import { maskOfSamples } from "../image/mask";
import { readNifti } from "../image/nifti";
import { voxelOf, type Plane, type PlanePoint } from "../image/planes";
import { api, ServerError } from "../server/api";
import type { Prompt, PromptKind, PromptResult } from "../server/types";
import { outlineOfRows, Overlay, type Scene } from "../view/scene";
import { loadReport, rememberMask } from "./reading";
import { announce, attempt, complain, panelTab, scene, selected, study, tool } from "./store";

export interface Mark {
  plane: string;
  index: number;
  kind: PromptKind;
  positive: boolean;
  points: PlanePoint[];
}

interface Live {
  id: string;
  scene: Scene;
  /** Array axis of the slices in which the server answers; null in a flat picture. */
  axis: number | null;
}

const live = signal<Live | null>(null);
/** Outline of one slice as it came last, ahead of the whole mask. */
export const liveSlice = signal<{ plane: string; index: number; path: Path2D } | null>(null);
export const liveMask = signal<Overlay | null>(null);
export const steps = signal<{ done: Mark[]; undone: Mark[] }>({ done: [], undone: [] });
export const result = signal<PromptResult | null>(null);
export const working = signal(false);
export const hasSession = computed(() => live.value !== null && steps.value.done.length > 0);
export const SEGMENT_COLOUR = "rgb(255 214 102)";

let queue: Promise<unknown> = Promise.resolve();
let waiting = 0;
/** True when the server's mask is ahead of the one on screen. */
let stale = false;

/** One step after the other: the order of the prompts makes the mask. */
function inTurn(step: () => Promise<void>): Promise<void> {
  waiting++;
  working.value = true;
  const next = queue.then(async () => {
    try {
      await step();
      // The other planes follow when no further prompt waits.
      if (waiting === 1 && stale && live.value) await showMask(live.value);
    } catch (error) {
      if (live.value && error instanceof ServerError && error.status === 404) {
        // It ends by itself when it is left alone for long.
        await endSession();
        complain(new Error("The segmentation was left alone too long and has ended. Begin it again."));
      } else complain(error);
    } finally {
      working.value = --waiting > 0;
    }
  });
  queue = next;
  return next;
}

/** The session on this image; it counts slices in the plane of its first prompt. */
async function sessionFor(shownScene: Scene, plane: Plane): Promise<Live> {
  const known = live.value;
  if (known && known.scene === shownScene) return known;
  const axis = shownScene.info.is_volume ? plane.axis : null;
  const { session } = await api.startSession(study.value!.id, shownScene.info.id, axis);
  const fresh: Live = { id: session, scene: shownScene, axis };
  live.value = fresh;
  return fresh;
}

/** Send a prompt that was drawn in a plane. */
export function prompt(shownScene: Scene, plane: Plane, mark: Omit<Mark, "plane" | "index">): Promise<void> {
  return inTurn(async () => {
    const session = await sessionFor(shownScene, plane);
    const index = shownScene.sliceIndex(plane);
    const at = session.axis === null ? { axis: null, slice: null } : { axis: plane.axis, slice: index };
    const wish: Prompt = {
      kind: mark.kind,
      positive: mark.positive,
      ...at,
      points: mark.points.map((point) => columnAndRow(plane, point)),
    };
    const answer = await api.prompt(session.id, wish);
    steps.value = { done: [...steps.value.done, { ...mark, plane: plane.name, index }], undone: [] };
    result.value = answer;
    await showSlice(session, plane, index, wish);
    announce(`The mask has ${answer.voxels} voxels.`);
    stale = true;
  });
}

/** x, y of the slice of the array: x along the higher, y along the lower of its two axes. */
function columnAndRow(plane: Plane, point: PlanePoint): [number, number] {
  const voxel = voxelOf(plane, point, 0);
  const [low, high] = [plane.right.axis, plane.down.axis].sort((a, b) => a - b);
  return [voxel[high], voxel[low]];
}

/** The slice alone is a small picture: it is there before the whole mask. */
async function showSlice(session: Live, plane: Plane, index: number, { axis, slice }: Prompt): Promise<void> {
  const picture = await createImageBitmap(await api.sessionSlice(session.id, axis, slice));
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  const bits = new Uint8Array(picture.width * picture.height);
  for (let n = 0; n < bits.length; n++) bits[n] = data[4 * n] > 127 && data[4 * n + 3] > 127 ? 1 : 0;
  liveSlice.value = { plane: plane.name, index, path: outlineOfRows(plane, picture.height, picture.width, bits) };
}

async function showMask(session: Live): Promise<void> {
  const { samples, shape } = await readNifti(await api.sessionMask(session.id));
  liveMask.value = new Overlay("session", "New segment", SEGMENT_COLOUR, maskOfSamples(samples, shape));
  liveSlice.value = null;
  stale = false;
}

export function undo(): Promise<void> {
  return stepTo("undo", () => {
    const { done, undone } = steps.value;
    steps.value = { done: done.slice(0, -1), undone: [...undone, done.at(-1)!] };
  });
}

export function redo(): Promise<void> {
  return stepTo("redo", () => {
    const { done, undone } = steps.value;
    steps.value = { done: [...done, undone.at(-1)!], undone: undone.slice(0, -1) };
  });
}

export const startOver = (): Promise<void> => stepTo("reset", () => (steps.value = { done: [], undone: [] }));

function stepTo(kind: "undo" | "redo" | "reset", follow: () => void): Promise<void> {
  return inTurn(async () => {
    const session = live.value;
    const possible = kind === "redo" ? steps.value.undone.length : steps.value.done.length;
    if (!session || !possible) return;
    result.value = await api.step(session.id, kind);
    follow();
    await showMask(session);
    announce(`The mask has ${result.value.voxels} voxels.`);
  });
}

export function propagate(): Promise<void> {
  return inTurn(async () => {
    const session = live.value;
    if (!session || !session.scene.info.is_volume) return;
    await attempt("Carrying the mask through the volume", async () => {
      result.value = await api.step(session.id, "propagate");
      const mark: Mark = { plane: "", index: -1, kind: "click", positive: true, points: [] };
      steps.value = { done: [...steps.value.done, mark], undone: [] };
      await showMask(session);
    });
  });
}

/** Keep the mask as a finding with this name. */
export async function accept(term: string): Promise<boolean> {
  const session = live.value;
  if (!session) return false;
  const finding = await attempt("Keeping the finding", () => api.accept(session.id, term));
  if (!finding) return false;
  if (liveMask.value && !stale) rememberMask(study.value!.id, finding, liveMask.value.mask);
  await endSession();
  tool.value = "crosshair";
  await loadReport();
  selected.value = finding.id;
  panelTab.value = "review";
  announce(`${term} is kept as a finding.`);
  return true;
}

export async function endSession(): Promise<void> {
  const session = live.value;
  live.value = null;
  liveSlice.value = null;
  liveMask.value = null;
  result.value = null;
  stale = false;
  steps.value = { done: [], undone: [] };
  if (session) await api.endSession(session.id).catch(() => undefined);
}

/** Names that a finding may have, fetched when the first segment begins. */
export const terms = signal<string[]>([]);

effect(() => {
  if (live.value && !terms.peek().length) {
    api.terms().then((names) => (terms.value = names)).catch(() => undefined);
  }
});

/** The scene that prompts may be drawn on. */
export const canSegment = computed(() => scene.value !== null && scene.value.volume.frames === 1);
