/** Masks on a grid, the slice of one in a plane, and its outline as a smooth path. */

import type { Vec3 } from "./nifti";
import type { Plane } from "./planes";

/** A box of a grid with one byte a voxel, last axis fastest. */
export interface VoxelMask {
  offset: Vec3;
  extent: Vec3;
  voxels: Uint8Array;
}

/** The box of a grid that holds its nonzero samples, which lie with the first axis fastest (a NIfTI file). */
export function maskOfSamples(samples: ArrayLike<number>, shape: Vec3): VoxelMask {
  const [ni, nj, nk] = shape;
  const low: Vec3 = [ni, nj, nk];
  const high: Vec3 = [-1, -1, -1];
  for (let k = 0, at = 0; k < nk; k++) {
    for (let j = 0; j < nj; j++) {
      for (let i = 0; i < ni; i++) {
        if (!samples[at++]) continue;
        if (i < low[0]) low[0] = i;
        if (i > high[0]) high[0] = i;
        if (j < low[1]) low[1] = j;
        if (j > high[1]) high[1] = j;
        if (k < low[2]) low[2] = k;
        if (k > high[2]) high[2] = k;
      }
    }
  }
  const extent = high.map((last, axis) => Math.max(0, last - low[axis] + 1)) as Vec3;
  const voxels = new Uint8Array(extent[0] * extent[1] * extent[2]);
  for (let i = 0, out = 0; i < extent[0]; i++) {
    for (let j = 0; j < extent[1]; j++) {
      for (let k = 0; k < extent[2]; k++) {
        voxels[out++] = samples[((k + low[2]) * nj + j + low[1]) * ni + i + low[0]] ? 1 : 0;
      }
    }
  }
  return { offset: low, extent, voxels };
}

/** Bits of one slice as the screen has it; `left` and `top` place it in the plane. */
export interface MaskSlice {
  width: number;
  height: number;
  left: number;
  top: number;
  bits: Uint8Array;
}

export function sliceOfMask(mask: VoxelMask, plane: Plane, index: number): MaskSlice | null {
  const depth = index - mask.offset[plane.axis];
  if (depth < 0 || depth >= mask.extent[plane.axis]) return null;
  const strides = [mask.extent[1] * mask.extent[2], mask.extent[2], 1];
  const { right, down } = plane;
  const [width, height] = [mask.extent[right.axis], mask.extent[down.axis]];
  const bits = new Uint8Array(width * height);
  let out = 0;
  let any = 0;
  for (let v = 0; v < height; v++) {
    const row = (down.flipped ? height - 1 - v : v) * strides[down.axis] + depth * strides[plane.axis];
    for (let u = 0; u < width; u++) {
      any |= bits[out++] = mask.voxels[row + (right.flipped ? width - 1 - u : u) * strides[right.axis]];
    }
  }
  if (!any) return null;
  const start = (direction: Plane["right"], size: number) =>
    direction.flipped
      ? direction.extent - mask.offset[direction.axis] - size
      : mask.offset[direction.axis];
  return { width, height, left: start(right, width), top: start(down, height), bits };
}

const STEP = [[1, 0], [0, 1], [-1, 0], [0, -1]];

/** The border as closed paths in plane coordinates: through the middles of the pixel edges, rounded. */
export function outline(slice: MaskSlice): Path2D {
  const { width, height, bits, left, top } = slice;
  const across = width + 1;
  // Bit d of a vertex: an edge leaves it in direction d, with the mask on its right.
  const leaving = new Uint8Array(across * (height + 1));
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && bits[y * width + x] !== 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!bits[y * width + x]) continue;
      if (!inside(x, y - 1)) leaving[y * across + x] |= 1;
      if (!inside(x + 1, y)) leaving[y * across + x + 1] |= 2;
      if (!inside(x, y + 1)) leaving[(y + 1) * across + x + 1] |= 4;
      if (!inside(x - 1, y)) leaving[(y + 1) * across + x] |= 8;
    }
  }
  const path = new Path2D();
  for (let start = 0; start < leaving.length; start++) {
    while (leaving[start]) addLoop(path, trace(leaving, start, across), left, top);
  }
  return path;
}

/** Follow one border and take its edges away; the middles of the edges, x and y in turn. */
function trace(leaving: Uint8Array, start: number, across: number): number[] {
  const middles: number[] = [];
  let vertex = start;
  let direction = 0;
  do {
    // A right turn first keeps pixels that touch at a corner apart.
    const turn = [1, 0, 3].map((step) => (direction + step) & 3).find((d) => leaving[vertex] & (1 << d));
    direction = turn ?? [0, 1, 2, 3].find((d) => leaving[vertex] & (1 << d))!;
    leaving[vertex] &= ~(1 << direction);
    const [dx, dy] = STEP[direction];
    middles.push((vertex % across) + dx / 2, Math.floor(vertex / across) + dy / 2);
    vertex += dx + dy * across;
  } while (vertex !== start);
  return middles;
}

function addLoop(path: Path2D, middles: number[], left: number, top: number): void {
  const count = middles.length / 2;
  const x = (n: number) => middles[2 * (n % count)] + left;
  const y = (n: number) => middles[2 * (n % count) + 1] + top;
  path.moveTo((x(0) + x(1)) / 2, (y(0) + y(1)) / 2);
  for (let n = 1; n <= count; n++) {
    path.quadraticCurveTo(x(n), y(n), (x(n) + x(n + 1)) / 2, (y(n) + y(n + 1)) / 2);
  }
  path.closePath();
}
