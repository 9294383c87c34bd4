/** The line below: where the pointer is, what is going on, and what this is not. */

import { valueAt } from "../image/nifti";
import { toWorld } from "../image/planes";
import { cursor } from "../view/cursor";
import { unitMark } from "../state/findings";
import { announcement, busy, complaint, scene } from "../state/store";

export function Status() {
  return (
    <footer class="status">
      <Position />
      {busy.value && (
        <span class="busy" role="status">
          <i aria-hidden="true" />
          {busy.value.message}
          {busy.value.share !== null && ` ${Math.round(busy.value.share * 100)}%`}
        </span>
      )}
      <strong class="notice">Draft for a qualified reader. Not a medical device.</strong>
      <div class="visually-hidden" aria-live="polite" data-testid="announcement">{announcement}</div>
    </footer>
  );
}

function Position() {
  const shown = cursor.value?.scene ?? scene.value;
  if (!shown) return <span />;
  const voxel = cursor.value?.voxel ?? shown.crosshair.value;
  const value = valueAt(shown.volume, voxel, shown.frame.value);
  const index = voxel.slice(0, shown.isVolume ? 3 : 2).map((part) => Math.round(part));
  const place = shown.info.orientation_known && shown.isVolume ? toWorld(shown.volume.affine, voxel) : null;
  const sides = [["R", "L"], ["A", "P"], ["H", "F"]];
  return (
    <span class="position" aria-hidden="true">
      <span class="voxel">{index.join(" ")}</span>
      {place && <span>{place.map((mm, axis) => `${sides[axis][mm < 0 ? 1 : 0]}${Math.abs(mm).toFixed(0)}`).join(" ")}{"\u202f"}mm</span>}
      {value !== null && <span><b>{Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3)}</b> {unitMark(shown.info.units)}</span>}
    </span>
  );
}

/** What went wrong, in words, until it is put away. */
export function Complaint() {
  if (!complaint.value) return null;
  return (
    <div class="complaint" role="alert">
      <p>{complaint.value.message}</p>
      <button type="button" class="button" onClick={() => (complaint.value = null)}>Close</button>
    </div>
  );
}
