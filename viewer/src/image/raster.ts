/** One slice of a grid as a picture of grey levels, before it is scaled to the screen. */

import type { Volume } from "./nifti";
import type { Plane } from "./planes";
import type { Window } from "./windows";

/** Fill `target` (plane's extent, RGBA) with slice `index`; `inverted` swaps black and white. */
export function paintSlice(
  target: ImageData,
  volume: Volume,
  plane: Plane,
  { index, frame, window, inverted }: { index: number; frame: number; window: Window; inverted: boolean },
): void {
  const [ni, nj, nk] = volume.shape;
  const strides = [1, ni, ni * nj];
  const pixels = new Uint32Array(target.data.buffer);
  const { right, down } = plane;
  const rightStep = strides[right.axis] * (right.flipped ? -1 : 1);
  const downStep = strides[down.axis] * (down.flipped ? -1 : 1);
  const origin =
    frame * ni * nj * nk +
    index * strides[plane.axis] +
    (right.flipped ? (right.extent - 1) * strides[right.axis] : 0) +
    (down.flipped ? (down.extent - 1) * strides[down.axis] : 0);
  // Grey = gain * stored + offset, so that the rescale and the window are one multiplication.
  const gain = (255 / window.width) * volume.slope;
  const offset = (255 / window.width) * (volume.intercept - window.center) + 127.5;
  const sign = inverted ? -1 : 1;
  const base = inverted ? 255 : 0;
  const { samples } = volume;
  const colour = volume.channels === 3;
  let out = 0;
  for (let v = 0; v < down.extent; v++) {
    let at = origin + v * downStep;
    for (let u = 0; u < right.extent; u++, at += rightStep) {
      if (colour) {
        const red = level(samples[3 * at] * gain + offset);
        const green = level(samples[3 * at + 1] * gain + offset);
        const blue = level(samples[3 * at + 2] * gain + offset);
        pixels[out++] = 0xff000000 | ((base + sign * blue) << 16) | ((base + sign * green) << 8) | (base + sign * red);
      } else {
        const grey = base + sign * level(samples[at] * gain + offset);
        pixels[out++] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
      }
    }
  }
}

// NaN (a voxel without a value) falls through to black.
const level = (value: number) => (value > 0 ? (value < 255 ? (value + 0.5) | 0 : 255) : 0);
