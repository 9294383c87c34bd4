/** The planes in which a grid is shown: along its own axes, turned as radiologists hang them. */

import type { Affine, Vec3, Volume } from "./nifti";

export type PlaneName = "axial" | "coronal" | "sagittal" | "picture";

interface Direction {
  /** Array axis that runs along this direction of the screen. */
  axis: number;
  /** True when the index falls along the direction. */
  flipped: boolean;
  extent: number;
  /** Millimetres (or pixels) between voxels. */
  spacing: number;
}

export interface Plane {
  name: PlaneName;
  /** Array axis across the plane. */
  axis: number;
  depth: number;
  /** Millimetres between slices. */
  spacing: number;
  /** True when the index rises towards the patient's left, back or feet. */
  isReversed: boolean;
  right: Direction;
  down: Direction;
  /** Patient directions at the left, right, top and bottom edge; empty where they are not known. */
  letters: { left: string; right: string; top: string; bottom: string };
}

/** Screen point in the plane: pixel n covers n to n + 1 along each direction. */
export interface PlanePoint {
  u: number;
  v: number;
}

/** Right and left, anterior and posterior, head and feet, as DICOM abbreviates them. */
const LETTERS = ["RL", "AP", "HF"];
/** For each plane: the world axis across it, and the world directions of the screen's right and down. */
const HANGING: Record<"axial" | "coronal" | "sagittal", { across: number; right: Vec3; down: Vec3 }> = {
  axial: { across: 2, right: [-1, 0, 0], down: [0, -1, 0] },
  coronal: { across: 1, right: [-1, 0, 0], down: [0, 0, -1] },
  sagittal: { across: 0, right: [0, -1, 0], down: [0, 0, -1] },
};

const column = (affine: Affine, axis: number): Vec3 => [affine[0][axis], affine[1][axis], affine[2][axis]];
const length = (vector: Vec3) => Math.hypot(...vector);

/** Which array axis runs along each world axis: the assignment with the largest product of cosines. */
export function worldAxes(affine: Affine): Vec3 {
  const orders: Vec3[] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
  const fit = (order: Vec3) =>
    order.reduce((product, axis, world) => product * (Math.abs(affine[world][axis]) / (length(column(affine, axis)) || 1)), 1);
  return orders.reduce((best, order) => (fit(order) > fit(best) ? order : best));
}

/** The three planes of a volume, the one with the finest pixels first. */
export function volumePlanes(volume: Volume): Plane[] {
  const axes = worldAxes(volume.affine);
  const planes = (Object.keys(HANGING) as (keyof typeof HANGING)[]).map((name): Plane => {
    const { across, right, down } = HANGING[name];
    const along = (wanted: Vec3): Direction & { letters: [string, string] } => {
      const world = wanted.findIndex((part) => part !== 0);
      const axis = axes[world];
      const flipped = volume.affine[world][axis] * wanted[world] < 0;
      const toward = wanted[world] > 0 ? 0 : 1;
      return {
        axis,
        flipped,
        extent: volume.shape[axis],
        spacing: length(column(volume.affine, axis)) || 1,
        letters: [LETTERS[world][1 - toward], LETTERS[world][toward]],
      };
    };
    const { letters: [left, rightmost], ...rightward } = along(right);
    const { letters: [top, bottom], ...downward } = along(down);
    return {
      name,
      axis: axes[across],
      depth: volume.shape[axes[across]],
      spacing: length(column(volume.affine, axes[across])) || 1,
      isReversed: volume.affine[across][axes[across]] < 0,
      right: rightward,
      down: downward,
      letters: { left, right: rightmost, top, bottom },
    };
  });
  return planes.sort((a, b) => pixelArea(a) - pixelArea(b));
}

const pixelArea = (plane: Plane) => Math.round(plane.right.spacing * plane.down.spacing * 100);

/** A flat image as its file has it: rows downwards, columns to the right. Its letters are from its own affine. */
export function picturePlane(volume: Volume, own: { affine: Affine; orientation_known: boolean }): Plane {
  const along = (axis: number): Direction => ({
    axis,
    flipped: false,
    extent: volume.shape[axis],
    spacing: length(column(volume.affine, axis)) || 1,
  });
  const toward = (axis: number) => (own.orientation_known ? directionLetter(column(own.affine, axis)) : "");
  const away = (axis: number) => opposite(toward(axis));
  return {
    name: "picture",
    axis: 2,
    depth: volume.shape[2],
    spacing: 1,
    isReversed: false,
    right: along(1),
    down: along(0),
    letters: { left: away(1), right: toward(1), top: away(0), bottom: toward(0) },
  };
}

function directionLetter(vector: Vec3): string {
  const world = vector.reduce((best, part, n) => (Math.abs(part) > Math.abs(vector[best]) ? n : best), 0);
  return LETTERS[world][vector[world] > 0 ? 0 : 1];
}

function opposite(letter: string): string {
  const pair = LETTERS.find((letters) => letters.includes(letter));
  return letter && pair ? pair.replace(letter, "") : "";
}

const toIndex = (direction: Direction, at: number) => (direction.flipped ? direction.extent - 0.5 - at : at - 0.5);
const toScreen = (direction: Direction, index: number) =>
  direction.flipped ? direction.extent - 0.5 - index : index + 0.5;

export function voxelOf(plane: Plane, point: PlanePoint, index: number): Vec3 {
  const voxel: Vec3 = [0, 0, 0];
  voxel[plane.axis] = index;
  voxel[plane.right.axis] = toIndex(plane.right, point.u);
  voxel[plane.down.axis] = toIndex(plane.down, point.v);
  return voxel;
}

export function pointOf(plane: Plane, voxel: readonly number[]): PlanePoint {
  return { u: toScreen(plane.right, voxel[plane.right.axis]), v: toScreen(plane.down, voxel[plane.down.axis]) };
}

export function toWorld(affine: Affine, voxel: readonly number[]): Vec3 {
  return [0, 1, 2].map((row) => {
    const [x, y, z, shift] = affine[row];
    return x * voxel[0] + y * voxel[1] + z * voxel[2] + shift;
  }) as Vec3;
}

export function clampVoxel(volume: Volume, voxel: readonly number[]): Vec3 {
  return volume.shape.map((extent, axis) => Math.min(extent - 1, Math.max(0, voxel[axis] ?? 0))) as Vec3;
}
