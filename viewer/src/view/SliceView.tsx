/** One plane of an image: it shows, and it takes the pointer and the keys. */

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { pointOf, voxelOf, type Plane, type PlanePoint } from "../image/planes";
import { lightOf, opacityOf } from "../state/findings";
import { liveMask, liveSlice, prompt, SEGMENT_COLOUR, steps } from "../state/segment";
import { hovered, isSegmenting, masksVisible, overlays, selected, shown, tool } from "../state/store";
import { cursor } from "./cursor";
import { paint, place, SlicePicture, type Drawing, type Screen, type Tinted } from "./paint";
import type { Scene } from "./scene";

type Rubber = Drawing["rubber"];
type Drag = { kind: "crosshair" | "window" | "pan" | "measure" | "scribble" | "box"; x: number; y: number; pointer: number };

const TITLES = { axial: "Axial", coronal: "Coronal", sagittal: "Sagittal", picture: "Picture" };

interface Props {
  scene: Scene;
  plane: Plane;
  /** A view of an earlier study: no masks, no prompts. */
  isPrior?: boolean;
  isMain?: boolean;
  onMaximise?: () => void;
}

export function SliceView({ scene, plane, isPrior = false, isMain = false, onMaximise }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = useRef(new SlicePicture());
  const size = useSignal<Screen>({ width: 0, height: 0, ratio: 1, grain: 1 });
  const rubber = useSignal<Rubber>(null);
  const drag = useRef<Drag | null>(null);
  const frame = useRef(0);

  useEffect(() => {
    const element = canvas.current!;
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      const ratio = window.devicePixelRatio || 1;
      element.width = Math.max(1, Math.round(width * ratio));
      element.height = Math.max(1, Math.round(height * ratio));
      const grain = parseFloat(getComputedStyle(document.documentElement).fontSize) / 13;
      size.value = { width, height, ratio, grain };
    });
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  useSignalEffect(() => {
    const now = size.value;
    if (!now.width) return;
    const drawing = drawingOf(scene, plane, isPrior, rubber.value);
    // Everything that is drawn is read here, so that a change of it draws again.
    void [scene.crosshair.value, scene.window.value, scene.inverted.value, scene.frame.value, scene.framing(plane).value];
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      const context = canvas.current?.getContext("2d", { alpha: false });
      if (context) paint(context, now, { scene, plane, picture: picture.current.of(scene, plane), drawing });
    });
  });

  const pointAt = (event: { clientX: number; clientY: number }): PlanePoint => {
    const box = canvas.current!.getBoundingClientRect();
    const at = place(scene, plane, box.width, box.height);
    return { u: (event.clientX - box.left - at.left) / at.scaleX, v: (event.clientY - box.top - at.top) / at.scaleY };
  };
  const isInside = ({ u, v }: PlanePoint) => u >= 0 && v >= 0 && u <= plane.right.extent && v <= plane.down.extent;
  const moveCrosshair = (event: PointerEvent) => scene.moveTo(voxelOf(plane, pointAt(event), scene.sliceIndex(plane)));
  const canPrompt = () => isSegmenting.value && !isPrior && scene.volume.frames === 1;

  const zoomAt = (event: { clientX: number; clientY: number }, factor: number) => {
    const box = canvas.current!.getBoundingClientRect();
    const framing = scene.framing(plane);
    const { zoom, dx, dy } = framing.value;
    const next = Math.min(40, Math.max(0.5, zoom * factor));
    const [x, y] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
    framing.value = { zoom: next, dx: x - ((x - dx) * next) / zoom, dy: y - ((y - dy) * next) / zoom };
  };

  const onPointerDown = (event: PointerEvent) => {
    canvas.current!.focus({ preventScroll: true });
    const start = (kind: Drag["kind"]) => {
      drag.current = { kind, x: event.clientX, y: event.clientY, pointer: event.pointerId };
      canvas.current!.setPointerCapture(event.pointerId);
    };
    event.preventDefault();
    if (event.button === 1 || (event.button === 0 && (tool.value === "pan" || event.altKey))) return start("pan");
    if (event.button === 2 || tool.value === "window") return start("window");
    if (event.button !== 0) return;
    const point = pointAt(event);
    if (canPrompt()) {
      if (!isInside(point)) return;
      const positive = (tool.value !== "remove") !== event.shiftKey;
      if (tool.value === "add" || tool.value === "remove") {
        scene.moveTo(voxelOf(plane, point, scene.sliceIndex(plane)));
        void prompt(scene, plane, { kind: "click", positive, points: [point] });
        return;
      }
      const kind = tool.value as "scribble" | "box";
      rubber.value = { kind, positive: kind === "box" || positive, points: [point] };
      return start(kind);
    }
    if (tool.value === "measure") {
      rubber.value = { kind: "measure", positive: true, points: [point] };
      return start("measure");
    }
    moveCrosshair(event);
    start("crosshair");
  };

  const onPointerMove = (event: PointerEvent) => {
    cursor.value = { scene, voxel: voxelOf(plane, pointAt(event), scene.sliceIndex(plane)) };
    const now = drag.current;
    if (!now) return;
    const [dx, dy] = [event.clientX - now.x, event.clientY - now.y];
    if (now.kind === "crosshair") moveCrosshair(event);
    else if (now.kind === "pan") {
      const framing = scene.framing(plane);
      framing.value = { ...framing.value, dx: framing.value.dx + dx, dy: framing.value.dy + dy };
    } else if (now.kind === "window") {
      const { center, width } = scene.window.value;
      const step = Math.max(scene.presets[0].width, width) / 400;
      scene.window.value = { center: center + dy * step, width: Math.max(step, width + dx * step) };
    } else if (rubber.value) {
      const points = now.kind === "scribble" ? [...rubber.value.points, pointAt(event)] : [rubber.value.points[0], pointAt(event)];
      rubber.value = { ...rubber.value, points };
    }
    [now.x, now.y] = [event.clientX, event.clientY];
  };

  const onPointerUp = () => {
    const [ended, drawn] = [drag.current, rubber.value];
    drag.current = null;
    if (!ended || !drawn || ended.kind === "measure") return;
    rubber.value = null;
    if (drawn.points.length > 1) {
      const clamp = (at: number, extent: number) => Math.min(extent - 0.5, Math.max(0.5, at));
      // The server takes a stroke of some thousand points.
      const every = Math.ceil(drawn.points.length / 2000);
      const kept = drawn.points.filter((_, n) => n % every === 0 || n === drawn.points.length - 1);
      const points = kept.map(({ u, v }) => ({ u: clamp(u, plane.right.extent), v: clamp(v, plane.down.extent) }));
      void prompt(scene, plane, { kind: ended.kind as "scribble" | "box", positive: drawn.positive, points });
    }
  };

  // Up is towards the head, the front or the right, and forward in time.
  const upward = scene.volume.frames > 1 ? -1 : plane.isReversed ? -1 : 1;
  const rest = useRef(0);
  const onWheel = (event: WheelEvent) => {
    event.preventDefault();
    const isStack = plane.depth > 1 || scene.volume.frames > 1;
    if (event.ctrlKey || event.metaKey || !isStack) return zoomAt(event, Math.exp(-event.deltaY / 400));
    // Touchpads send many small steps, wheels few large ones.
    rest.current += event.deltaMode === 0 ? event.deltaY / 40 : event.deltaY;
    const steps = Math.trunc(rest.current);
    rest.current -= steps;
    if (steps) scene.scroll(plane, -Math.max(-3, Math.min(3, steps)) * upward);
  };
  useEffect(() => {
    const element = canvas.current!;
    // Preact's wheel listeners are passive, so that they could not keep the page from scrolling.
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  });

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const middle = () => {
      const box = canvas.current!.getBoundingClientRect();
      return { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
    };
    const nudge = (du: number, dv: number) => {
      const { u, v } = pointOf(plane, scene.crosshair.value);
      scene.moveTo(voxelOf(plane, { u: u + du, v: v + dv }, scene.sliceIndex(plane)));
    };
    const far = event.shiftKey ? 10 : 1;
    const act: Record<string, () => void> = {
      ArrowLeft: () => nudge(-far, 0),
      ArrowRight: () => nudge(far, 0),
      ArrowUp: () => nudge(0, -far),
      ArrowDown: () => nudge(0, far),
      PageUp: () => scene.scroll(plane, far * upward),
      PageDown: () => scene.scroll(plane, -far * upward),
      "+": () => zoomAt(middle(), 1.25),
      "=": () => zoomAt(middle(), 1.25),
      "-": () => zoomAt(middle(), 0.8),
      Enter: () => {
        if (!canPrompt()) return;
        const points = [pointOf(plane, scene.crosshair.value)];
        void prompt(scene, plane, { kind: "click", positive: tool.value !== "remove", points });
      },
    };
    const wanted = act[event.key];
    if (!wanted) return;
    event.preventDefault();
    event.stopPropagation();
    wanted();
  };

  const heading = useComputed(() => {
    if (scene.volume.frames > 1) return `Frame ${scene.frame.value + 1} of ${scene.volume.frames}`;
    if (plane.depth === 1) return "";
    return `${scene.sliceIndex(plane) + 1} of ${plane.depth}`;
  });
  const windowText = useComputed(() => {
    const { center, width } = scene.window.value;
    const digits = width < 10 ? 2 : 0;
    return `L ${center.toFixed(digits)}  W ${width.toFixed(digits)}`;
  });
  const spoken = useComputed(() => {
    const at = scene.crosshair.value.map((part) => Math.round(part)).join(", ");
    return `${isPrior ? "Prior study. " : ""}${TITLES[plane.name]} view of ${scene.info.name}. ${heading.value} Crosshair at voxel ${at}.`;
  });

  return (
    <div class={`view${isMain ? " main" : ""}`} data-plane={plane.name}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-roledescription="image view"
        aria-label={spoken.value}
        data-tool={isPrior && isSegmenting.value ? "crosshair" : tool.value}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={onPointerUp}
        onPointerLeave={() => (cursor.value = null)}
        onContextMenu={(event) => event.preventDefault()}
        onDblClick={() => !isSegmenting.value && onMaximise?.()}
        onKeyDown={onKeyDown}
      />
      <div class="corner top left" aria-hidden="true">
        {isPrior && <b class="prior">Prior</b>}
        {plane.name !== "picture" && <b>{TITLES[plane.name]}</b>}
        <span>{heading}</span>
      </div>
      {isMain && <div class="corner top right" aria-hidden="true">{windowText}</div>}
    </div>
  );
}

function drawingOf(scene: Scene, plane: Plane, isPrior: boolean, rubber: Rubber): Drawing {
  const index = scene.sliceIndex(plane);
  if (isPrior) return { masks: [], lines: [], marks: [], rubber, hasCrosshair: scene.isVolume || scene.isPointed.value };
  const lit = lightOf(hovered.value);
  const chosen = selected.value ? lightOf([selected.value]) : { masks: new Set<string>(), lines: [] };
  const masks: Tinted[] = [];
  for (const overlay of overlays.value) {
    const isLit = lit.masks.has(overlay.id);
    const isChosen = chosen.masks.has(overlay.id);
    const isShown = masksVisible.value && shown.value.has(overlay.id);
    if (!isLit && !isChosen && !isShown) continue;
    const path = overlay.outline(plane, index);
    if (!path) continue;
    const fill = isShown ? opacityOf(overlay.id) : 0;
    masks.push({ path, colour: overlay.colour, fill: isLit ? Math.max(fill, 0.12) : fill, stroke: isLit ? 2.5 : isChosen ? 1.75 : 1.1 });
  }
  const live = liveSlice.value;
  const current = live?.plane === plane.name && live.index === index ? live.path : liveMask.value?.outline(plane, index);
  if (current) masks.push({ path: current, colour: SEGMENT_COLOUR, fill: 0.22, stroke: 1.75 });
  return {
    masks,
    lines: [...chosen.lines, ...(selected.value && hovered.value.includes(selected.value) ? [] : lit.lines)],
    marks: steps.value.done.filter((mark) => mark.plane === plane.name && mark.index === index),
    rubber,
    hasCrosshair: scene.isVolume || (scene.isPointed.value && !isSegmenting.value),
  };
}
