/** Reading a NIfTI-1 or NIfTI-2 file into a voxel grid. The axes stay those of the file, first index fastest. */

export type Vec3 = [number, number, number];
/** Four rows of four: voxel index to millimetres, x to the right, y to the front, z to the head. */
export type Affine = readonly (readonly number[])[];
type Samples = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

export interface Volume {
  shape: Vec3;
  /** Frames of a moving image; 1 for a still one. */
  frames: number;
  /** 3 where every voxel is a colour: its samples then lie next to each other. */
  channels: 1 | 3;
  samples: Samples;
  slope: number;
  intercept: number;
  affine: Affine;
  /** The file itself, unpacked: what the 3D view reads. */
  file: ArrayBuffer;
}

const SAMPLE_TYPES: Record<number, { new (buffer: ArrayBuffer, offset: number, length: number): Samples; BYTES_PER_ELEMENT: number }> = {
  2: Uint8Array,
  4: Int16Array,
  8: Int32Array,
  16: Float32Array,
  64: Float64Array,
  128: Uint8Array,
  256: Int8Array,
  512: Uint16Array,
  768: Uint32Array,
};
const RGB24 = 128;

async function inflate(bytes: ArrayBuffer, format: CompressionFormat): Promise<ArrayBuffer> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
  return new Response(stream).arrayBuffer();
}

export async function readNifti(bytes: ArrayBuffer): Promise<Volume> {
  const head = new Uint8Array(bytes, 0, 2);
  const file = head[0] === 0x1f && head[1] === 0x8b ? await inflate(bytes, "gzip") : bytes;
  const view = new DataView(file);
  const size = view.getInt32(0, true);
  if (size !== 348 && size !== 540) throw new Error("The server sent a picture that is not a NIfTI file.");
  const second = size === 540;
  const dim = (n: number) => (second ? Number(view.getBigInt64(16 + 8 * n, true)) : view.getInt16(40 + 2 * n, true));
  const code = view.getInt16(second ? 12 : 70, true);
  const Type = SAMPLE_TYPES[code];
  if (!Type) throw new Error(`The picture's values are of a kind (NIfTI type ${code}) that cannot be shown.`);
  const rank = dim(0);
  const extent = (n: number) => (n <= rank ? Math.max(1, dim(n)) : 1);
  const shape: Vec3 = [extent(1), extent(2), extent(3)];
  const channels = code === RGB24 ? 3 : 1;
  const frames = extent(4) * extent(5);
  const count = shape[0] * shape[1] * shape[2] * frames * channels;
  const start = second ? Number(view.getBigInt64(168, true)) : view.getFloat32(108, true);
  const slope = second ? view.getFloat64(176, true) : view.getFloat32(112, true);
  const intercept = second ? view.getFloat64(184, true) : view.getFloat32(116, true);
  return {
    shape,
    frames,
    channels,
    samples: aligned(file, start, count, Type),
    slope: Number.isFinite(slope) && slope !== 0 ? slope : 1,
    intercept: Number.isFinite(intercept) && slope !== 0 ? intercept : 0,
    affine: readAffine(view, second),
    file,
  };
}

function aligned(file: ArrayBuffer, start: number, count: number, Type: (typeof SAMPLE_TYPES)[number]): Samples {
  const bytes = count * Type.BYTES_PER_ELEMENT;
  if (start + bytes > file.byteLength) throw new Error("The picture arrived incomplete. Open the study again.");
  return start % Type.BYTES_PER_ELEMENT === 0
    ? new Type(file, start, count)
    : new Type(file.slice(start, start + bytes), 0, count);
}

/** The sform where it is set (what our server writes), else the qform's rotation and offsets, else the voxel size. */
function readAffine(view: DataView, second: boolean): Affine {
  const real = (first: number, other: number) => (second ? view.getFloat64(other, true) : view.getFloat32(first, true));
  const code = (first: number, other: number) => (second ? view.getInt32(other, true) : view.getInt16(first, true));
  const pixdim = (n: number) => real(76 + 4 * n, 104 + 8 * n);
  if (code(254, 348) > 0) {
    const row = (r: number) => [0, 1, 2, 3].map((c) => real(280 + 16 * r + 4 * c, 400 + 32 * r + 8 * c));
    return [row(0), row(1), row(2), [0, 0, 0, 1]];
  }
  if (code(252, 344) > 0) {
    const [b, c, d] = [0, 1, 2].map((n) => real(256 + 4 * n, 352 + 8 * n));
    const offset = [0, 1, 2].map((n) => real(268 + 4 * n, 376 + 8 * n));
    return fromQuaternion(b, c, d, offset, [pixdim(1), pixdim(2), pixdim(3)], pixdim(0) < 0 ? -1 : 1);
  }
  return [
    [pixdim(1) || 1, 0, 0, 0],
    [0, pixdim(2) || 1, 0, 0],
    [0, 0, pixdim(3) || 1, 0],
    [0, 0, 0, 1],
  ];
}

function fromQuaternion(b: number, c: number, d: number, offset: number[], size: Vec3, handed: number): Affine {
  const a = Math.sqrt(Math.max(0, 1 - b * b - c * c - d * d));
  const rotation = [
    [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
    [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
    [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
  ];
  const scale = [size[0], size[1], size[2] * handed];
  return [...rotation.map((row, r) => [...row.map((value, n) => value * scale[n]), offset[r]]), [0, 0, 0, 1]];
}

/** The physical value (HU, SUV, ...) at a voxel, rounded to it; a colour's mean; null outside. */
export function valueAt(volume: Volume, voxel: Vec3, frame = 0): number | null {
  const [i, j, k] = voxel.map(Math.round);
  const [ni, nj, nk] = volume.shape;
  if (i < 0 || j < 0 || k < 0 || i >= ni || j >= nj || k >= nk) return null;
  const at = ((frame * nk + k) * nj + j) * ni + i;
  if (volume.channels === 3) {
    return (volume.samples[3 * at] + volume.samples[3 * at + 1] + volume.samples[3 * at + 2]) / 3;
  }
  return volume.samples[at] * volume.slope + volume.intercept;
}

/** Values below which `low` and `high` (0..1) of a sample of the voxels lie. */
export function percentiles(volume: Volume, low: number, high: number): [number, number] {
  const step = Math.max(1, Math.floor(volume.samples.length / 50_000)) | 1;
  const sample: number[] = [];
  for (let n = 0; n < volume.samples.length; n += step) {
    const value = volume.samples[n];
    if (Number.isFinite(value)) sample.push(value);
  }
  sample.sort((a, b) => a - b);
  const pick = (share: number) => (sample[Math.round(share * (sample.length - 1))] ?? 0) * volume.slope + volume.intercept;
  return [pick(low), pick(high)];
}
