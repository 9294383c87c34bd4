/** Lists to open from: the server's data folder, and its DICOMweb server. */

import { useSignal } from "@preact/signals";
import { api } from "../server/api";
import type { Folder, RemoteStudy } from "../server/types";
import { openDicomweb, openPath } from "../state/open";
import { attempt, info } from "../state/store";
import { Icon } from "./icons";

export function Browse() {
  return (
    <div class="browse">
      <FolderList />
      {info.value?.serve.dicomweb && <RemoteList />}
    </div>
  );
}

function FolderList() {
  const folder = useSignal<Folder | null>(null);
  const show = async (path: string) => {
    folder.value = (await attempt("Looking into the folder", () => api.folder(path))) ?? folder.value;
  };
  const here = folder.value;
  return (
    <details onToggle={(event) => event.currentTarget.open && !folder.value && void show("")}>
      <summary><Icon name="folder" />Data folder</summary>
      {here && (
        <ul aria-label={`Folder ${here.path || "of the server"}`}>
          {here.path && (
            <li>
              <button type="button" class="entry" onClick={() => void show(here.path.split("/").slice(0, -1).join("/"))}>
                <Icon name="left" /><span>Back</span>
              </button>
            </li>
          )}
          {here.path && (
            <li><button type="button" class="entry" onClick={() => void openPath(here.path)}><Icon name="open" /><span>Open this folder</span></button></li>
          )}
          {here.entries.map((entry) => (
            <li key={entry.path}>
              <button type="button" class="entry" title={entry.name} onClick={() => void (entry.kind === "folder" ? show(entry.path) : openPath(entry.path))}>
                <Icon name={entry.kind === "folder" ? "folder" : "single"} /><span>{entry.name}</span>
              </button>
            </li>
          ))}
          {!here.entries.length && <li class="quiet">Empty.</li>}
          {here.truncated && <li class="quiet">More than can be listed.</li>}
        </ul>
      )}
    </details>
  );
}

function RemoteList() {
  const found = useSignal<RemoteStudy[] | null>(null);
  const patient = useSignal("");
  const search = async () => {
    found.value = (await attempt("Asking the archive", () => api.remoteStudies(patient.value.trim()))) ?? found.value;
  };
  return (
    <details onToggle={(event) => event.currentTarget.open && !found.value && void search()}>
      <summary><Icon name="grid" />DICOMweb</summary>
      <form onSubmit={(event) => { event.preventDefault(); void search(); }}>
        <input type="text" aria-label="Patient ID begins with" placeholder="Patient ID" maxLength={64} value={patient} onInput={(event) => (patient.value = event.currentTarget.value)} />
      </form>
      {found.value && (
        <ul aria-label="Studies of the DICOMweb server">
          {found.value.map((study) => (
            <li key={study.uid} class="study">
              <button type="button" class="row" onClick={() => void openDicomweb(study.uid)}>
                <span class="name">{study.description || study.patient_id || study.uid}</span>
                <small>{[study.modalities.join(", "), study.date, study.patient_id].filter(Boolean).join(" · ")}</small>
              </button>
            </li>
          ))}
          {!found.value.length && <li class="quiet">No study.</li>}
        </ul>
      )}
    </details>
  );
}
