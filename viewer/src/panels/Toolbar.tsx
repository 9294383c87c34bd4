/** Tools over the image, and the bar of the segmentation. */

import { useSignal } from "@preact/signals";
import { accept, canSegment, endSession, hasSession, propagate, redo, result, startOver, steps, terms, undo, working } from "../state/segment";
import { isSegmenting, layout, linked, masksVisible, prior, scene, tool, type Layout, type Tool } from "../state/store";
import { IconButton, type IconName } from "./icons";

const LOOKING: { tool: Tool; icon: IconName; label: string; keys: string }[] = [
  { tool: "crosshair", icon: "crosshair", label: "Crosshair", keys: "V" },
  { tool: "window", icon: "window", label: "Brightness and contrast", keys: "W" },
  { tool: "pan", icon: "pan", label: "Move the image", keys: "H" },
  { tool: "measure", icon: "measure", label: "Measure a distance", keys: "D" },
];
const MARKING: typeof LOOKING = [
  { tool: "add", icon: "add", label: "Click what belongs to it", keys: "S" },
  { tool: "remove", icon: "remove", label: "Click what does not belong to it", keys: "T" },
  { tool: "scribble", icon: "scribble", label: "Scribble on it", keys: "B" },
  { tool: "box", icon: "box", label: "Draw a box around it", keys: "Q" },
];
const LAYOUTS: { layout: Layout; icon: IconName; label: string; keys: string }[] = [
  { layout: "focus", icon: "focus", label: "One plane large", keys: "F" },
  { layout: "grid", icon: "grid", label: "Three planes and 3D", keys: "G" },
  { layout: "single", icon: "single", label: "One plane alone", keys: "L" },
];

export function Toolbar() {
  const shownScene = scene.value;
  if (!shownScene) return null;
  return (
    <div class="toolbar" role="toolbar" aria-label="Tools">
      <div class="group">{LOOKING.map((entry) => <ToolButton key={entry.tool} {...entry} />)}</div>
      <div class="group" aria-label="Segment">
        {MARKING.map((entry) => <ToolButton key={entry.tool} {...entry} isOff={!canSegment.value} />)}
      </div>
      <Presets />
      <div class="group end">
        <IconButton icon={masksVisible.value ? "eye" : "eyeOff"} label="Show masks" keys="M" isOn={masksVisible.value} onClick={() => (masksVisible.value = !masksVisible.value)} />
        <IconButton icon="invert" label="Swap black and white" keys="I" isOn={shownScene.inverted.value} onClick={() => (shownScene.inverted.value = !shownScene.inverted.value)} />
        <IconButton icon="reset" label="Fit the view and reset the window" keys="0" onClick={() => shownScene.resetView()} />
        {prior.value && <IconButton icon="link" label="Move both studies together" keys="Y" isOn={linked.value} onClick={() => (linked.value = !linked.value)} />}
      </div>
      {shownScene.isVolume && !prior.value && (
        <div class="group">
          {LAYOUTS.map((entry) => (
            <IconButton key={entry.layout} icon={entry.icon} label={entry.label} keys={entry.keys} isOn={layout.value === entry.layout} onClick={() => (layout.value = entry.layout)} />
          ))}
        </div>
      )}
    </div>
  );
}

function ToolButton({ tool: own, icon, label, keys, isOff }: (typeof LOOKING)[number] & { isOff?: boolean }) {
  return <IconButton icon={icon} label={label} keys={keys} isOn={tool.value === own} isOff={isOff} onClick={() => (tool.value = own)} />;
}

function Presets() {
  const shownScene = scene.value!;
  const { center, width } = shownScene.window.value;
  const at = shownScene.presets.findIndex((preset) => preset.center === center && preset.width === width);
  return (
    <label class="presets">
      <span class="visually-hidden">Window</span>
      <select
        value={String(at)}
        onChange={(event) => {
          const preset = shownScene.presets[Number(event.currentTarget.value)];
          if (preset) shownScene.window.value = { center: preset.center, width: preset.width };
          event.currentTarget.blur();
        }}
      >
        {at < 0 && <option value="-1">Own window</option>}
        {shownScene.presets.map((preset, n) => <option key={preset.name} value={String(n)}>{preset.name}</option>)}
      </select>
    </label>
  );
}

const HINTS: Record<string, string> = {
  add: "Click inside the structure. Shift reverses.",
  remove: "Click outside of it, where the mask went too far.",
  scribble: "Draw along the structure. Shift marks what is not part of it.",
  box: "Drag a box around the structure.",
};

/** Shown while something is being segmented. */
export function SegmentBar() {
  const name = useSignal("");
  if (!isSegmenting.value && !hasSession.value) return null;
  const { done, undone } = steps.value;
  const now = result.value;
  const size = now ? (now.volume_ml !== null ? `${now.volume_ml.toFixed(now.volume_ml < 10 ? 2 : 1)}\u202fmL` : `${now.voxels.toLocaleString("en")} pixels`) : "";
  return (
    <div class="segment-bar" role="region" aria-label="Segmentation" aria-busy={working.value}>
      <IconButton icon="undo" label="Undo" keys="Control+Z" isOff={!done.length} onClick={() => void undo()} />
      <IconButton icon="redo" label="Redo" keys="Control+Shift+Z" isOff={!undone.length} onClick={() => void redo()} />
      <IconButton icon="bin" label="Start over" isOff={!done.length} onClick={() => void startOver()} />
      {scene.value?.isVolume && (
        <button type="button" class="button" disabled={!done.length || working.value} title="Carry the mask to the neighbouring slices (P)" onClick={() => void propagate()}>
          Propagate
        </button>
      )}
      <p class="hint">
        {working.value ? "Working" : hasSession.value ? <><b data-testid="segment-size">{size}</b>{now && now.seconds > 0 && <small>{Math.round(now.seconds * 1000)} ms</small>}</> : HINTS[tool.value]}
      </p>
      <form
        class="accept"
        onSubmit={(event) => {
          event.preventDefault();
          const term = name.value.trim();
          if (term) void accept(term).then((kept) => kept && (name.value = ""));
        }}
      >
        <input id="segment-name" type="text" list="terms" placeholder="Name of the finding" aria-label="Name of the finding" maxLength={100} value={name} onInput={(event) => (name.value = event.currentTarget.value)} />
        <datalist id="terms">{terms.value.map((term) => <option key={term} value={term} />)}</datalist>
        <button type="submit" class="button primary" disabled={!hasSession.value || !name.value.trim() || working.value}>Keep</button>
        <button
          type="button" class="button"
          onClick={() => {
            tool.value = "crosshair";
            void endSession();
          }}
        >
          Discard
        </button>
      </form>
    </div>
  );
}
