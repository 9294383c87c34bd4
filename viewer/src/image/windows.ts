/** Grey windows: which values are black and which are white. */

import type { Volume } from "./nifti";
import { percentiles } from "./nifti";

export interface Window {
  center: number;
  width: number;
}

export interface Preset extends Window {
  name: string;
}

/** Customary windows for CT in Hounsfield units. */
const CT: Preset[] = [
  { name: "Soft tissue", center: 40, width: 400 },
  { name: "Lung", center: -600, width: 1500 },
  { name: "Bone", center: 480, width: 2500 },
  { name: "Brain", center: 40, width: 80 },
  { name: "Liver", center: 60, width: 160 },
  { name: "Stroke", center: 32, width: 8 },
];
/** Standardised uptake, in g/mL. */
const PET: Preset[] = [
  { name: "SUV 0 to 5", center: 2.5, width: 5 },
  { name: "SUV 0 to 10", center: 5, width: 10 },
  { name: "SUV 0 to 20", center: 10, width: 20 },
];

const between = (name: string, [low, high]: [number, number]): Preset => ({
  name,
  center: (low + high) / 2,
  width: Math.max(high - low, 1e-6),
});

/** The presets for an image: what its file asks for first, then those of its modality. */
export function presetsFor(modality: string, given: Window | null, volume: Volume): Preset[] {
  const presets: Preset[] = given && given.width > 0 ? [{ name: "As sent", ...given }] : [];
  if (modality === "CT") return [...presets, ...CT];
  if (modality === "PT") return [...presets, ...PET];
  if (volume.channels === 3) return [{ name: "Colour", center: 127.5, width: 255 }];
  const steps: [string, number, number][] = ["DX", "CR", "RG", "MG"].includes(modality)
    ? [["Full range", 0, 1], ["Standard", 0.005, 0.995], ["Dense parts", 0.35, 1], ["Air and lung", 0, 0.65]]
    : [["Standard", 0.01, 0.995], ["Bright parts", 0.5, 1], ["Dark parts", 0, 0.8], ["Full range", 0, 1]];
  return [...presets, ...steps.map(([name, low, high]) => between(name, percentiles(volume, low, high)))];
}
