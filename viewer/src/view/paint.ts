/** Drawing a plane of a scene on a canvas: slice, masks, lines, crosshair, letters, scale. */

import type { Plane, PlanePoint } from "../image/planes";
import { pointOf } from "../image/planes";
import { paintSlice } from "../image/raster";
import type { Line } from "../server/types";
import type { Scene } from "./scene";

/** CSS pixels per millimetre and the place of the plane's upper left corner. */
export interface Placement {
  scaleX: number;
  scaleY: number;
  left: number;
  top: number;
}

export interface Tinted {
  path: Path2D;
  colour: string;
  fill: number;
  stroke: number;
}

export interface Drawing {
  masks: Tinted[];
  lines: Line[];
  marks: { kind: string; positive: boolean; points: PlanePoint[] }[];
  /** What the pointer is drawing now. */
  rubber: { kind: "scribble" | "box" | "measure"; positive: boolean; points: PlanePoint[] } | null;
  hasCrosshair: boolean;
}

/** A view's size in CSS pixels, device pixels for each, and the size of what is drawn over the image (1: 13 px text). */
export interface Screen {
  width: number;
  height: number;
  ratio: number;
  grain: number;
}

export function place(scene: Scene, plane: Plane, width: number, height: number, grain = 1): Placement {
  const { zoom, dx, dy } = scene.framing(plane).value;
  const [wide, high] = [plane.right.extent * plane.right.spacing, plane.down.extent * plane.down.spacing];
  const unit = Math.min(width / wide, height / high);
  const scale = unit * zoom;
  return {
    scaleX: scale * plane.right.spacing,
    scaleY: scale * plane.down.spacing,
    left: (width - wide * scale) / 2 + dx / grain,
    top: (height - high * scale) / 2 + dy / grain,
  };
}

/** The grey slice of a plane, painted again only when something about it changed. */
export class SlicePicture {
  private readonly canvas = document.createElement("canvas");
  private data: ImageData | null = null;
  private key = "";

  of(scene: Scene, plane: Plane): HTMLCanvasElement {
    const index = scene.sliceIndex(plane);
    const { center, width } = scene.window.value;
    const key = [scene.info.id, plane.name, index, scene.frame.value, center, width, scene.inverted.value].join(" ");
    if (key === this.key) return this.canvas;
    const [across, down] = [plane.right.extent, plane.down.extent];
    if (!this.data || this.data.width !== across || this.data.height !== down) {
      this.data = new ImageData(across, down);
      [this.canvas.width, this.canvas.height] = [across, down];
    }
    paintSlice(this.data, scene.volume, plane, {
      index,
      frame: scene.frame.value,
      window: scene.window.value,
      inverted: scene.inverted.value,
    });
    this.canvas.getContext("2d")!.putImageData(this.data, 0, 0);
    this.key = key;
    return this.canvas;
  }
}

const FONT = '500 11.5px "Inter Variable", system-ui, sans-serif';
const INK = "rgb(214 219 222 / 0.78)";
/** Room for the letters at the edges, CSS pixels. */
const MARGIN = 24;
const POSITIVE = "rgb(122 224 150)";
const NEGATIVE = "rgb(255 122 112)";

export function paint(
  context: CanvasRenderingContext2D,
  screen: Screen,
  { scene, plane, picture, drawing }: { scene: Scene; plane: Plane; picture: HTMLCanvasElement; drawing: Drawing },
): void {
  // All that follows counts in units that grow with the text of the page, so that a 4k screen has no hairlines.
  const { grain } = screen;
  const [width, height] = [screen.width / grain, screen.height / grain];
  const at = place(scene, plane, width, height, grain);
  context.setTransform(screen.ratio * grain, 0, 0, screen.ratio * grain, 0, 0);
  context.fillStyle = "#000";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, at.left, at.top, plane.right.extent * at.scaleX, plane.down.extent * at.scaleY);
  const onScreen = (point: PlanePoint): [number, number] => [at.left + point.u * at.scaleX, at.top + point.v * at.scaleY];
  for (const mask of drawing.masks) paintMask(context, mask, at);
  for (const line of drawing.lines) paintLine(context, line, scene, plane, onScreen);
  for (const mark of drawing.marks) paintMark(context, mark, onScreen);
  if (drawing.rubber) paintRubber(context, drawing.rubber, onScreen, plane);
  if (drawing.hasCrosshair) paintCrosshair(context, onScreen(pointOf(plane, scene.crosshair.value)), { width, height }, scene.isVolume);
  paintLetters(context, plane, width, height);
  paintScale(context, scene, at, plane, height);
}

function paintMask(context: CanvasRenderingContext2D, mask: Tinted, at: Placement): void {
  const path = new Path2D();
  path.addPath(mask.path, new DOMMatrix([at.scaleX, 0, 0, at.scaleY, at.left, at.top]));
  context.fillStyle = mask.colour;
  context.strokeStyle = mask.colour;
  if (mask.fill > 0) {
    context.globalAlpha = mask.fill;
    context.fill(path, "evenodd");
  }
  context.globalAlpha = 1;
  if (mask.stroke > 0) {
    context.lineJoin = "round";
    context.lineWidth = mask.stroke;
    context.stroke(path);
  }
}

/** A measured line of a finding, where it lies in this slice; a single point is a small ring. */
function paintLine(
  context: CanvasRenderingContext2D,
  line: Line,
  scene: Scene,
  plane: Plane,
  onScreen: (point: PlanePoint) => [number, number],
): void {
  const index = scene.sliceIndex(plane);
  const lies = line.points.every((point) => point.length < 3 || Math.abs(point[plane.axis] - index) <= 0.75);
  if (!lies) return;
  const points = line.points.map((point) => onScreen(pointOf(plane, [...point, 0])));
  const draw = () => {
    context.beginPath();
    if (points.length === 1) context.arc(...points[0], 3.5, 0, 2 * Math.PI);
    else points.forEach(([x, y], n) => (n ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  };
  context.lineCap = "round";
  context.strokeStyle = "rgb(0 0 0 / 0.6)";
  context.lineWidth = 4;
  draw();
  context.strokeStyle = "rgb(255 224 150)";
  context.lineWidth = 1.6;
  draw();
  if (points.length === 2) {
    if (line.name) nameLine(context, line.name, points[0], points[1]);
    context.fillStyle = "rgb(255 224 150)";
    for (const [x, y] of points) {
      context.beginPath();
      context.arc(x, y, 2.4, 0, 2 * Math.PI);
      context.fill();
    }
  }
}

/** The name of a line along it, where it is long enough to carry it. */
function nameLine(context: CanvasRenderingContext2D, name: string, [x0, y0]: [number, number], [x1, y1]: [number, number]): void {
  context.font = FONT;
  const isLevel = Math.abs(x1 - x0) > Math.abs(y1 - y0);
  if (isLevel && Math.abs(x1 - x0) > context.measureText(name).width + 16) label(context, name, (x0 + x1) / 2, (y0 + y1) / 2 - 10, "center");
}

function paintMark(
  context: CanvasRenderingContext2D,
  mark: Drawing["marks"][number],
  onScreen: (point: PlanePoint) => [number, number],
): void {
  const colour = mark.positive ? POSITIVE : NEGATIVE;
  const points = mark.points.map(onScreen);
  context.strokeStyle = colour;
  context.fillStyle = colour;
  if (mark.kind === "click") {
    const [x, y] = points[0];
    context.beginPath();
    context.arc(x, y, 4.5, 0, 2 * Math.PI);
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = "rgb(0 0 0 / 0.75)";
    context.stroke();
    context.beginPath();
    context.moveTo(x - 2.2, y);
    context.lineTo(x + 2.2, y);
    if (mark.positive) {
      context.moveTo(x, y - 2.2);
      context.lineTo(x, y + 2.2);
    }
    context.stroke();
  } else {
    context.globalAlpha = 0.75;
    strokeShape(context, mark.kind, points);
    context.globalAlpha = 1;
  }
}

function strokeShape(context: CanvasRenderingContext2D, kind: string, points: [number, number][]): void {
  context.lineWidth = kind === "scribble" ? 3 : 1.5;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.setLineDash(kind === "box" ? [5, 4] : []);
  context.beginPath();
  if (kind === "box") {
    const [[x0, y0], [x1, y1]] = [points[0], points.at(-1)!];
    context.rect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
  } else points.forEach(([x, y], n) => (n ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
  context.setLineDash([]);
}

function paintRubber(
  context: CanvasRenderingContext2D,
  rubber: NonNullable<Drawing["rubber"]>,
  onScreen: (point: PlanePoint) => [number, number],
  plane: Plane,
): void {
  const points = rubber.points.map(onScreen);
  if (rubber.kind !== "measure") {
    context.strokeStyle = rubber.positive ? POSITIVE : NEGATIVE;
    strokeShape(context, rubber.kind, points);
    return;
  }
  const [from, to] = [rubber.points[0], rubber.points.at(-1)!];
  context.strokeStyle = "rgb(255 224 150)";
  strokeShape(context, "measure", [onScreen(from), onScreen(to)]);
  const distance = Math.hypot((to.u - from.u) * plane.right.spacing, (to.v - from.v) * plane.down.spacing);
  const [x, y] = onScreen(to);
  label(context, `${distance.toFixed(1)}`, x + 10, y - 8, "left");
}

/** Fine lines that leave the middle free, so that they never cover what they point at; in a picture only a short cross. */
function paintCrosshair(context: CanvasRenderingContext2D, [x, y]: [number, number], size: { width: number; height: number }, isLong: boolean): void {
  const [px, py] = [Math.round(x) + 0.5, Math.round(y) + 0.5];
  const gap = isLong ? 14 : 9;
  const arms = isLong
    ? { left: MARGIN, right: size.width - MARGIN, top: MARGIN, bottom: size.height - MARGIN }
    : { left: px - 26, right: px + 26, top: py - 26, bottom: py + 26 };
  const draw = (line: number, colour: string) => {
    context.lineWidth = line;
    context.strokeStyle = colour;
    context.beginPath();
    for (const [from, to] of [[arms.left, px - gap], [px + gap, arms.right]]) {
      if (from < to) {
        context.moveTo(from, py);
        context.lineTo(to, py);
      }
    }
    for (const [from, to] of [[arms.top, py - gap], [py + gap, arms.bottom]]) {
      if (from < to) {
        context.moveTo(px, from);
        context.lineTo(px, to);
      }
    }
    context.stroke();
  };
  context.lineCap = "butt";
  draw(isLong ? 2 : 3.5, isLong ? "rgb(0 0 0 / 0.25)" : "rgb(0 0 0 / 0.55)");
  draw(isLong ? 1 : 1.5, isLong ? "rgb(143 214 196 / 0.5)" : "rgb(158 240 219)");
}

function label(context: CanvasRenderingContext2D, text: string, x: number, y: number, align: CanvasTextAlign): void {
  context.font = FONT;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.strokeStyle = "rgb(0 0 0 / 0.65)";
  context.lineWidth = 2.5;
  context.strokeText(text, x, y);
  context.fillStyle = INK;
  context.fillText(text, x, y);
}

function paintLetters(context: CanvasRenderingContext2D, { letters }: Plane, width: number, height: number): void {
  label(context, letters.left, 10, height / 2, "left");
  label(context, letters.right, width - 10, height / 2, "right");
  label(context, letters.top, width / 2, 14, "center");
  label(context, letters.bottom, width / 2, height - 14, "center");
}

/** A bar of a round number of millimetres; none where the size of a pixel is not known. */
function paintScale(context: CanvasRenderingContext2D, scene: Scene, at: Placement, plane: Plane, height: number): void {
  if (!scene.info.spacing) return;
  const perMillimetre = at.scaleX / plane.right.spacing;
  const lengths = [1, 2, 5, 10, 20, 50, 100, 200];
  const wanted = lengths.find((mm) => mm * perMillimetre >= 48) ?? 200;
  const pixels = wanted * perMillimetre;
  const [x, y] = [12.5, height - 16.5];
  for (const [colour, line] of [["rgb(0 0 0 / 0.7)", 4], [INK, 1.25]] as const) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.lineCap = "butt";
    context.beginPath();
    context.moveTo(x, y - 4);
    context.lineTo(x, y);
    context.lineTo(x + pixels, y);
    context.lineTo(x + pixels, y - 4);
    context.stroke();
  }
  label(context, wanted >= 10 ? `${wanted / 10} cm` : `${wanted} mm`, x + pixels + 8, y - 3, "left");
}
