/** Where the pointer is over an image. */

import { signal } from "@preact/signals";
import type { Vec3 } from "../image/nifti";
import type { Scene } from "./scene";

export const cursor = signal<{ scene: Scene; voxel: Vec3 } | null>(null);
