/** An image on screen: its grid, its planes, and what the reader has set (crosshair, window, zoom). */

import { signal, type Signal } from "@preact/signals";
import { clampVoxel, picturePlane, volumePlanes, type Plane, type PlaneName } from "../image/planes";
import type { Vec3, Volume } from "../image/nifti";
import { presetsFor, type Preset, type Window } from "../image/windows";
import type { MaskSlice, VoxelMask } from "../image/mask";
import { outline, sliceOfMask } from "../image/mask";
import type { ImageInfo } from "../server/types";

export interface Framing {
  /** Times the size at which the whole plane fits. */
  zoom: number;
  /** Shift of the plane's middle from the view's, in CSS pixels. */
  dx: number;
  dy: number;
}

export const FITTED: Framing = { zoom: 1, dx: 0, dy: 0 };

export class Scene {
  readonly planes: Plane[];
  readonly presets: Preset[];
  readonly crosshair: Signal<Vec3>;
  readonly window: Signal<Window>;
  readonly inverted = signal(false);
  readonly frame = signal(0);
  /** True once somebody or a finding pointed at something. */
  readonly isPointed = signal(false);
  private readonly framings = new Map<PlaneName, Signal<Framing>>();

  constructor(
    readonly info: ImageInfo,
    readonly volume: Volume,
  ) {
    this.planes = volume.shape[2] > 1 ? volumePlanes(volume) : [picturePlane(volume, info)];
    this.presets = presetsFor(info.modality, info.window ?? null, volume);
    this.window = signal(this.presets[0]);
    this.crosshair = signal(volume.shape.map((extent) => (extent - 1) >> 1) as Vec3);
  }

  framing(plane: Plane): Signal<Framing> {
    const known = this.framings.get(plane.name);
    if (known) return known;
    const fresh = signal(FITTED);
    this.framings.set(plane.name, fresh);
    return fresh;
  }

  resetView(): void {
    for (const framing of this.framings.values()) framing.value = FITTED;
    this.window.value = this.presets[0];
    this.inverted.value = false;
  }

  moveTo(voxel: readonly number[]): void {
    this.isPointed.value = true;
    this.crosshair.value = clampVoxel(this.volume, voxel);
  }

  /** Index of the shown slice. */
  sliceIndex(plane: Plane): number {
    return Math.round(this.crosshair.value[plane.axis]);
  }

  scroll(plane: Plane, steps: number): void {
    if (this.volume.frames > 1) {
      this.frame.value = Math.min(this.volume.frames - 1, Math.max(0, this.frame.value + steps));
      return;
    }
    const voxel: Vec3 = [...this.crosshair.value];
    voxel[plane.axis] = Math.round(voxel[plane.axis]) + steps;
    this.moveTo(voxel);
  }

  get isVolume(): boolean {
    return this.planes.length > 1;
  }
}

/** A named mask over a scene; the outlines of the last slices are kept. */
export class Overlay {
  private readonly outlines = new Map<string, Path2D | null>();

  constructor(
    readonly id: string,
    readonly name: string,
    readonly colour: string,
    readonly mask: VoxelMask,
  ) {}

  outline(plane: Plane, index: number): Path2D | null {
    const key = `${plane.name} ${index}`;
    if (!this.outlines.has(key)) {
      if (this.outlines.size > 24) this.outlines.clear();
      const slice = sliceOfMask(this.mask, plane, index);
      this.outlines.set(key, slice && outline(slice));
    }
    return this.outlines.get(key) ?? null;
  }
}

/** Outline of one slice that the server sent as rows and columns of the array, placed as the plane shows it. */
export function outlineOfRows(plane: Plane, rows: number, columns: number, bits: Uint8Array): Path2D {
  // The slice's rows run along the lower of the two array axes in the plane, its columns along the higher.
  const rightIsColumns = plane.right.axis > plane.down.axis;
  const { right, down } = plane;
  const turned = new Uint8Array(bits.length);
  let out = 0;
  for (let v = 0; v < down.extent; v++) {
    const y = down.flipped ? down.extent - 1 - v : v;
    for (let u = 0; u < right.extent; u++) {
      const x = right.flipped ? right.extent - 1 - u : u;
      turned[out++] = rightIsColumns ? bits[y * columns + x] : bits[x * columns + y];
    }
  }
  if (rows * columns !== bits.length) throw new Error("The server's slice does not fit the picture.");
  const slice: MaskSlice = { width: right.extent, height: down.extent, left: 0, top: 0, bits: turned };
  return outline(slice);
}
