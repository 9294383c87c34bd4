/** The 3D view: NiiVue on the volume and the masks, loaded when it is first asked for. */

import { Niivue, NVImage } from "@niivue/niivue";
import type { Vec3 } from "../image/nifti";
import { toWorld } from "../image/planes";
import type { Overlay, Scene } from "./scene";

const HEADER_BYTES = 352;
const UINT8 = 2;

export interface View3d {
  show(scene: Scene): Promise<void>;
  masks(scene: Scene, overlays: readonly Overlay[], opacity: number): Promise<void>;
  crosshair(scene: Scene): void;
  /** Cut away the part in front of a plane: 0 nothing, 1 everything. */
  cut(share: number): void;
  end(): void;
}

export async function createView3d(canvas: HTMLCanvasElement): Promise<View3d> {
  const niivue = new Niivue({
    backColor: [0, 0, 0, 1],
    show3Dcrosshair: true,
    crosshairColor: [0.56, 0.84, 0.77, 0.6],
    crosshairWidth: 0.4,
    isOrientCube: false,
    isOrientationTextVisible: false,
    dragAndDropEnabled: false,
    loadingText: "",
    logLevel: "error",
    isAlphaClipDark: true,
    clipPlaneColor: [0, 0, 0, 0],
  });
  await niivue.attachToCanvas(canvas);
  niivue.setSliceType(niivue.sliceTypeRender);
  let base: NVImage | null = null;
  let labels: NVImage | null = null;

  return {
    async show(scene) {
      if (base) niivue.removeVolume(base);
      labels = null;
      const { center, width } = scene.window.value;
      base = await image(scene.volume.file.slice(0), "volume.nii");
      // Air would fill the room: the render begins a little above the window's black, in CT at bone and contrast.
      [base.cal_min, base.cal_max] = scene.info.modality === "CT" ? [130, 900] : [center - width * 0.32, center + width / 2];
      niivue.addVolume(base);
      await niivue.setVolumeRenderIllumination(0.55);
      niivue.setRenderAzimuthElevation(150, 12);
      niivue.volScaleMultiplier = 1.25;
    },
    async masks(scene, overlays, opacity) {
      if (labels) niivue.removeVolume(labels);
      labels = null;
      if (!overlays.length) return void niivue.drawScene();
      labels = await image(labelFile(scene, overlays), "labels.nii");
      labels.setColormapLabel(colours(overlays));
      labels.opacity = Math.min(1, 0.35 + opacity);
      niivue.addVolume(labels);
    },
    crosshair(scene) {
      if (!base) return;
      niivue.scene.crosshairPos = niivue.mm2frac(toWorld(scene.volume.affine, scene.crosshair.value) as Vec3);
      niivue.drawScene();
    },
    cut(share) {
      niivue.setClipPlane(share > 0 ? [0.5 - share, 180, 0] : [2, 0, 0]);
    },
    end: () => niivue.cleanup(),
  };
}

function image(buffer: ArrayBuffer, name: string): Promise<NVImage> {
  return NVImage.loadFromUrl({ url: name, buffer, name });
}

/** A NIfTI file with the header of the volume and one number for each mask. */
function labelFile(scene: Scene, overlays: readonly Overlay[]): ArrayBuffer {
  const { shape, file } = scene.volume;
  const bytes = new Uint8Array(HEADER_BYTES + shape[0] * shape[1] * shape[2]);
  bytes.set(new Uint8Array(file, 0, HEADER_BYTES - 4));
  const header = new DataView(bytes.buffer);
  header.setInt16(40, 3, true);
  header.setInt16(70, UINT8, true);
  header.setInt16(72, 8, true);
  header.setFloat32(108, HEADER_BYTES, true);
  header.setFloat32(112, 1, true);
  header.setFloat32(116, 0, true);
  overlays.forEach(({ mask }, n) => {
    const [ni, nj, nk] = mask.extent;
    let at = 0;
    for (let i = 0; i < ni; i++) {
      for (let j = 0; j < nj; j++) {
        for (let k = 0; k < nk; k++) {
          if (!mask.voxels[at++]) continue;
          const [x, y, z] = [i + mask.offset[0], j + mask.offset[1], k + mask.offset[2]];
          bytes[HEADER_BYTES + (z * shape[1] + y) * shape[0] + x] = n + 1;
        }
      }
    }
  });
  return bytes.buffer;
}

function colours(overlays: readonly Overlay[]) {
  const rgb = overlays.map(({ colour }) => colour.match(/\d+/g)!.map(Number));
  const channel = (n: number) => [0, ...rgb.map((parts) => parts[n])];
  return {
    R: channel(0),
    G: channel(1),
    B: channel(2),
    A: [0, ...rgb.map(() => 255)],
    I: [0, ...rgb.map((_, n) => n + 1)],
    labels: ["", ...overlays.map((overlay) => overlay.name)],
  };
}
