/** The sheet of keys. */

import { useEffect, useRef } from "preact/hooks";
import { helpOpen } from "../state/store";

const KEYS: { title: string; rows: [string, string][] }[] = [
  {
    title: "Look",
    rows: [
      ["Wheel, Page Up, Page Down", "next slice"],
      ["Arrow keys", "move the crosshair (Shift: by ten)"],
      ["Ctrl + wheel, + and −", "zoom"],
      ["Alt or middle button + drag", "move the image"],
      ["Right button + drag", "brightness and contrast"],
      ["1 to 6", "window preset"],
      ["I", "swap black and white"],
      ["0", "fit the view, reset the window"],
      ["F, G, L", "one large plane, three planes and 3D, one alone"],
      ["O", "next plane to the large place"],
      ["M", "masks on and off"],
      ["D", "measure a distance"],
    ],
  },
  {
    title: "Read",
    rows: [
      ["R", "read this study"],
      ["N, K", "next, previous finding"],
      ["A", "accept the finding"],
      ["X", "reject the finding"],
      ["E", "edit its sentence"],
      ["Click a sentence", "go to its place"],
      ["Hover over a sentence", "show its outline"],
    ],
  },
  {
    title: "Segment",
    rows: [
      ["S", "click what belongs to it"],
      ["T", "click what does not"],
      ["B", "scribble"],
      ["Q", "box"],
      ["Shift", "reverses click and scribble"],
      ["Enter", "click at the crosshair"],
      ["Ctrl + Z, Ctrl + Shift + Z", "undo, redo"],
      ["P", "propagate through the volume"],
      ["Escape", "back to the crosshair"],
    ],
  },
  {
    title: "Room",
    rows: [
      ["[ and ]", "left and right panel"],
      ["V, W, H", "crosshair, window, move"],
      ["Y", "link the crosshair with the prior"],
      ["?", "this sheet"],
    ],
  },
];

export function Help() {
  const sheet = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (helpOpen.value) sheet.current?.showModal();
    else sheet.current?.close();
  }, [helpOpen.value]);
  return (
    <dialog
      class="help" ref={sheet} aria-labelledby="help-title"
      onClose={() => (helpOpen.value = false)}
      onClick={(event) => event.target === sheet.current && (helpOpen.value = false)}
    >
      <header>
        <h2 id="help-title">Keys and gestures</h2>
        <button type="button" class="button" onClick={() => (helpOpen.value = false)}>Close</button>
      </header>
      <div class="columns">
        {KEYS.map(({ title, rows }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>{rows.map(([keys, does]) => <div key={keys}><dt>{keys}</dt><dd>{does}</dd></div>)}</dl>
          </section>
        ))}
      </div>
      <p class="quiet">
        groundglass makes drafts for a qualified reader. It is not a medical device. <a href="licences.txt" target="_blank">Licences</a>
      </p>
    </dialog>
  );
}
