/** An earlier study beside the open one, and the crosshair that both share. */

import { effect, signal } from "@preact/signals";
import { api } from "../server/api";
import type { Comparison, StudySummary } from "../server/types";
import type { Scene } from "../view/scene";
import { sceneOf } from "./open";
import { announce, attempt, complain, linked, prior, scene, study } from "./store";

export const comparison = signal<Comparison | null>(null);

export async function compareWith(earlier: StudySummary): Promise<void> {
  const [now, owner] = [scene.value, study.value];
  if (!now || !owner) return;
  await attempt("Opening the prior study", async () => {
    const candidates = (await api.images(earlier.id)).filter((image) => image.usable);
    const alike = candidates.find((image) => image.modality === now.info.modality && image.is_volume === now.info.is_volume);
    const image = alike ?? candidates[0];
    if (!image) throw new Error("The prior study has no picture that can be shown.");
    prior.value = { study: earlier, scene: await sceneOf(earlier.id, image) };
    announce(`${earlier.name} is shown beside.`);
  });
  if (owner.has_report && earlier.has_report) {
    await api.compare(owner.id, earlier.id).then((found) => (comparison.value = found)).catch(complain);
  }
}

export function endComparison(): void {
  prior.value = null;
  comparison.value = null;
}

/** Millimetres from the middle of the grid, along the axes of its planes. */
function fromMiddle(shown: Scene): Map<string, [number, number]> {
  return new Map(
    shown.planes.map((plane) => {
      const at = shown.crosshair.value[plane.axis] - (shown.volume.shape[plane.axis] - 1) / 2;
      return [plane.name, [at, plane.spacing]];
    }),
  );
}

function follow(leader: Scene, follower: Scene): void {
  const offsets = fromMiddle(leader);
  const voxel = [...follower.crosshair.peek()];
  if (leader.isVolume !== follower.isVolume) return;
  if (!leader.isVolume) {
    // Two pictures: the same share of width and height.
    for (const axis of [0, 1]) {
      voxel[axis] = (leader.crosshair.value[axis] / (leader.volume.shape[axis] - 1)) * (follower.volume.shape[axis] - 1);
    }
  } else {
    for (const plane of follower.planes) {
      const other = leader.planes.find((known) => known.name === plane.name);
      const [at, spacing] = offsets.get(plane.name) ?? [0, 1];
      if (!other) continue;
      const turned = plane.isReversed === other.isReversed ? 1 : -1;
      voxel[plane.axis] = (turned * at * spacing) / plane.spacing + (follower.volume.shape[plane.axis] - 1) / 2;
    }
  }
  const before = follower.crosshair.peek();
  if (before.some((part, axis) => Math.abs(part - voxel[axis]) > 1e-6)) follower.moveTo(voxel);
}

let last: { now: Scene; then: Scene; here: unknown; there: unknown } | null = null;

/** Keep the two crosshairs together; the one that moved leads. */
effect(() => {
  const [now, then] = [scene.value, prior.value?.scene];
  if (!now || !then || !linked.value || now === then) {
    last = null;
    return;
  }
  const [here, there] = [now.crosshair.value, then.crosshair.value];
  const isFirst = last?.now !== now || last.then !== then;
  if (isFirst || last!.here !== here) follow(now, then);
  else if (last!.there !== there) follow(then, now);
  last = { now, then, here: now.crosshair.peek(), there: then.crosshair.peek() };
});
