/** Opening studies and images. */

import { readNifti } from "../image/nifti";
import { api } from "../server/api";
import type { ImageInfo, StudySummary } from "../server/types";
import { Scene } from "../view/scene";
import { clearReport, loadReport, refreshOverlays, resume } from "./reading";
import { endSession } from "./segment";
import { announce, attempt, busy, complain, images, layout, mainPlane, prior, scene, studies, study, tool } from "./store";

const scenes = new Map<string, Scene>();

export async function sceneOf(studyId: string, image: ImageInfo): Promise<Scene> {
  const key = `${studyId}/${image.id}`;
  const known = scenes.get(key);
  if (known) return known;
  const fresh = new Scene(image, await readNifti(await api.volume(studyId, image.id)));
  // Volumes are large: keep the last few, so that going back is quick and the memory bounded.
  if (scenes.size >= 6) scenes.delete(scenes.keys().next().value!);
  scenes.set(key, fresh);
  return fresh;
}

export async function refreshStudies(): Promise<void> {
  studies.value = await api.studies();
}

export async function openStudy(chosen: StudySummary): Promise<void> {
  await attempt("Opening the study", async () => {
    await endSession();
    const found = await api.images(chosen.id);
    study.value = chosen;
    images.value = found;
    prior.value = null;
    clearReport();
    scene.value = null;
    history.replaceState(null, "", `#${encodeURIComponent(chosen.id)}`);
    if (!found.length) throw new Error("This study has no picture that can be shown.");
    await showImage(found[0]);
    await loadReport();
    // A job that the server has forgotten is over.
    if (chosen.job) resume(chosen.id, chosen.job).catch(() => undefined);
    announce(`${chosen.name} is open: ${found.length} ${found.length === 1 ? "image" : "images"}.`);
  });
}

export async function showImage(image: ImageInfo): Promise<void> {
  const owner = study.value;
  if (!owner || scene.value?.info.id === image.id) return;
  await attempt(`Loading ${image.name}`, async () => {
    await endSession();
    const next = await sceneOf(owner.id, image);
    if (study.value !== owner) return;
    scene.value = next;
    mainPlane.value = next.planes[0].name;
    if (next.planes.length === 1) layout.value = "single";
    else if (layout.value === "single") layout.value = "focus";
    if (tool.value !== "window" && tool.value !== "pan") tool.value = "crosshair";
    refreshOverlays().catch(complain);
  });
}

/** The image that a finding names, where the study has it. */
export async function showImageNamed(name: string | null): Promise<void> {
  const wanted = images.value.find((image) => image.id === name || image.name === name);
  if (wanted) await showImage(wanted);
}

export async function upload(files: readonly File[]): Promise<void> {
  if (!files.length) return;
  const message = files.length === 1 ? `Sending ${files[0].name}` : `Sending ${files.length} files`;
  const opened = await attempt(message, () =>
    api.upload(files, (share) => {
      busy.value = { message, share };
    }),
  );
  if (!opened) return;
  await refreshStudies().catch(() => undefined);
  await openStudy(opened);
}

export async function openPath(path: string): Promise<void> {
  const opened = await attempt(`Opening ${path}`, () => api.openPath(path));
  if (opened) await Promise.all([refreshStudies(), openStudy(opened)]);
}

export async function openDicomweb(uid: string): Promise<void> {
  const opened = await attempt("Fetching the study", () => api.openDicomweb(uid));
  if (opened) await Promise.all([refreshStudies(), openStudy(opened)]);
}

export async function closeStudy(closed: StudySummary): Promise<void> {
  await attempt("Removing the study", async () => {
    await api.close(closed.id);
    for (const key of scenes.keys()) if (key.startsWith(`${closed.id}/`)) scenes.delete(key);
    if (prior.value?.study.id === closed.id) prior.value = null;
    if (study.value?.id === closed.id) {
      study.value = null;
      images.value = [];
      scene.value = null;
      clearReport();
    }
    await refreshStudies();
  });
}

/** Files of a drop, folders included. */
export async function filesOfDrop(data: DataTransfer): Promise<File[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry != null);
  if (!entries.length) return [...data.files];
  return (await Promise.all(entries.map(filesOfEntry))).flat();
}

async function filesOfEntry(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const inside: FileSystemEntry[] = [];
  // A directory is handed out in pieces until one is empty.
  for (;;) {
    const piece = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!piece.length) break;
    inside.push(...piece);
  }
  return (await Promise.all(inside.map(filesOfEntry))).flat();
}
