/** Findings as the reader sees them: what is a structure, where a finding lies, what lights up with it. */

import type { Finding, Line, Measurement } from "../server/types";
import { announce, opacities, opacity, report, scene, selected, shown } from "./store";
import { showImageNamed } from "./open";

/** An organ or region that was only outlined, against an observation about it. */
export const isStructure = (finding: Finding): boolean =>
  finding.source === "model" && finding.anatomy !== null && finding.term === finding.anatomy && finding.status === "present";

export const allFindings = (): Finding[] => report.value?.findings ?? [];
export const findingById = (id: string | null): Finding | undefined => allFindings().find((f) => f.id === id);

export function titleOf(finding: Finding): string {
  const { side } = finding;
  const lateral = side && side !== "midline" ? `, ${side === "bilateral" ? "both sides" : side}` : "";
  const name = finding.term + lateral;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** The colour that label files and exports give it, a little paler, so that it can be seen on black. */
export function colourOf(finding: Finding): string {
  const [red, green, blue] = (finding.colour ?? [143, 214, 196]).map((part) => Math.round(part * 0.74 + 235 * 0.26));
  return `rgb(${red} ${green} ${blue})`;
}

/** Masks and lines that stand for these findings; an observation without a mask borrows that of its anatomy. */
export function lightOf(ids: readonly string[]): { masks: Set<string>; lines: Line[] } {
  const masks = new Set<string>();
  const lines: Line[] = [];
  const stored = report.value?.document.report.findings ?? [];
  for (const id of ids) {
    const finding = findingById(id);
    if (!finding) continue;
    if (finding.mask_url) masks.add(id);
    else for (const host of hosts(finding)) masks.add(host.id);
    const written = stored.find((other) => other.id === id);
    lines.push(...(written?.where?.points ?? []));
    for (const measurement of written?.measurements ?? []) lines.push(...(measurement.geometry ?? []));
  }
  return { masks, lines };
}

function hosts(finding: Finding): Finding[] {
  const { anatomy, side } = finding;
  const isHost = (other: Finding) =>
    anatomy !== null && other.anatomy === anatomy && isStructure(other) && (!side || side === other.side);
  return allFindings().filter((other) => other.mask_url && (other.id === finding.part_of || isHost(other)));
}

/** The voxel for the crosshair: what the server says, else the middle of the lines, else the place of its anatomy. */
export function voxelOfFinding(finding: Finding): number[] | null {
  if (finding.seed_voxel) return finding.seed_voxel;
  const points = lightOf([finding.id]).lines.flatMap((line) => line.points);
  if (points.length) return points[0].map((_, axis) => points.reduce((sum, p) => sum + p[axis], 0) / points.length);
  return hosts(finding)[0]?.seed_voxel ?? null;
}

/** Select a finding and bring the crosshair to it. */
export async function goTo(id: string): Promise<void> {
  const finding = findingById(id);
  if (!finding) return;
  selected.value = id;
  await showImageNamed(finding.image);
  const voxel = voxelOfFinding(finding);
  if (voxel && scene.value) {
    scene.value.moveTo(voxel);
    announce(`${titleOf(finding)}: the crosshair is on it.`);
  } else {
    announce(`${titleOf(finding)} has no place in the picture.`);
  }
}

/** Step through the observations, or through all findings when there are none. */
export function step(by: 1 | -1): void {
  const observations = allFindings().filter((finding) => !isStructure(finding));
  const list = observations.length ? observations : allFindings();
  if (!list.length) return;
  const at = list.findIndex((finding) => finding.id === selected.value);
  void goTo(list[(at + by + list.length) % list.length + (at < 0 && by < 0 ? 1 : 0)]?.id ?? list[0].id);
}

export function toggleShown(id: string, on = !shown.value.has(id)): void {
  const next = new Set(shown.value);
  if (on) next.add(id);
  else next.delete(id);
  shown.value = next;
}

export const opacityOf = (id: string): number => opacities.value[id] ?? opacity.value;

const UNITS: Record<string, string> = {
  "1": "", "{count}": "", "[hnsf'U]": "HU", deg: "°", "g/mL{SUVbw}": "SUV", cm2: "cm²", mm2: "mm²", mm3: "mm³",
};

/** A UCUM unit as radiologists write it. */
export const unitMark = (unit: string): string => UNITS[unit] ?? unit;

/** A measurement as one would write it: value and unit, and its limits. */
export function written(measurement: Measurement): { text: string; limits: string } {
  const { value, unit, low, high } = measurement;
  const size = Math.abs(value ?? 0);
  const digits = Number.isInteger(value) || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const mark = unitMark(unit);
  const gap = mark === "°" || mark === "%" || !mark ? "" : "\u202f";
  const plain = (limit: number) => String(Math.round(limit * 100) / 100);
  const limits =
    low !== null && high !== null ? `${plain(low)} to ${plain(high)}`
    : high !== null ? `up to ${plain(high)}`
    : low !== null ? `from ${plain(low)}`
    : "";
  return { text: value === null ? "not measurable" : `${value.toFixed(digits)}${gap}${mark}`, limits };
}
