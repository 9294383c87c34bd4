/** The left rail: what can be opened, and the images of the open study. */

import { useSignal } from "@preact/signals";
import { api } from "../server/api";
import { closeStudy, openStudy, showImage, upload } from "../state/open";
import { images, scene, studies, study } from "../state/store";
import type { ImageInfo, StudySummary } from "../server/types";
import { Browse } from "./Browse";
import { Icon } from "./icons";

export function Rail() {
  return (
    <nav class="rail" aria-label="Studies and images">
      <OpenFiles />
      <Browse />
      {images.value.length > 0 && (
        <section aria-label="Images of this study">
          <h2>Images</h2>
          <ul class="thumbs">{images.value.map((image) => <Thumb key={image.id} image={image} name={shortName(image)} />)}</ul>
        </section>
      )}
      <section class="studies" aria-label="Studies">
        <h2>Studies</h2>
        {studies.value.length === 0 && <p class="quiet">None yet.</p>}
        <ul>{studies.value.map((known) => <StudyRow key={known.id} known={known} />)}</ul>
      </section>
    </nav>
  );
}

function OpenFiles() {
  return (
    <label class="open-files">
      <input
        type="file" multiple class="hidden-input" aria-label="Open image files"
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          void upload(files);
        }}
      />
      <Icon name="open" />
      <span>Open files</span>
      <small>or drop them anywhere</small>
    </label>
  );
}

/** The description; else the name without what all images of the study begin with. */
function shortName(image: ImageInfo): string {
  if (image.description) return image.description;
  const names = images.value.map((other) => other.name);
  let common = names.length > 1 ? names[0].length : 0;
  for (const name of names) while (!name.startsWith(names[0].slice(0, common))) common--;
  const start = Math.max(...["_", "-", " "].map((mark) => image.name.lastIndexOf(mark, common - 1))) + 1;
  return image.name.slice(common > 0 ? start : 0);
}

function Thumb({ image, name }: { image: ImageInfo; name: string }) {
  const isShown = scene.value?.info.id === image.id;
  const failed = useSignal(false);
  const size = image.shape.join(" × ");
  return (
    <li>
      <button type="button" class="thumb" aria-current={isShown} disabled={!image.usable} onClick={() => void showImage(image)}>
        <span class="film">
          {!failed.value && image.usable && (
            <img src={api.thumbnail(study.value!.id, image.id)} alt="" loading="lazy" onError={() => (failed.value = true)} />
          )}
          {image.modality !== "OT" && <b>{image.modality}</b>}
        </span>
        <span class="name" title={image.name}>{name}</span>
        <small>{image.usable ? size : "cannot be shown"}</small>
      </button>
    </li>
  );
}

function StudyRow({ known }: { known: StudySummary }) {
  const facts = [known.modalities.filter((modality) => modality !== "OT").join(", "), known.date, known.has_report ? "read" : null].filter(Boolean).join(" · ");
  return (
    <li class="study">
      <button type="button" class="row" aria-current={study.value?.id === known.id} onClick={() => void openStudy(known)}>
        <span class="name">{known.name}</span>
        <small>{facts}</small>
      </button>
      <button type="button" class="icon-button small" aria-label={`Remove ${known.name}`} title="Remove from the list" onClick={() => void closeStudy(known)}>
        <Icon name="bin" />
      </button>
    </li>
  );
}
