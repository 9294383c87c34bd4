/** The 3D pane: NiiVue is fetched and started when the pane is first shown. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { lightOf } from "../state/findings";
import { liveMask } from "../state/segment";
import { masksVisible, opacity, overlays, selected, shown } from "../state/store";
import type { Scene } from "./scene";
import type { View3d } from "./volume3d";

export function VolumeView({ scene }: { scene: Scene }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useSignal<View3d | null>(null);
  const ready = useSignal<Scene | null>(null);
  const failure = useSignal("");
  const cut = useSignal(0);

  useEffect(() => {
    let ended = false;
    let made: View3d | null = null;
    const begin = async () => {
      const { createView3d } = await import("./volume3d");
      if (ended) return;
      made = await createView3d(canvas.current!);
      if (ended) return made.end();
      await made.show(scene);
      if (ended) return;
      view.value = made;
      ready.value = scene;
    };
    begin().catch(() => {
      failure.value = "This browser cannot draw in 3D (it has no WebGL 2). The slices work without it.";
    });
    return () => {
      ended = true;
      ready.value = null;
      view.value = null;
      made?.end();
    };
  }, [scene]);

  useSignalEffect(() => {
    const drawer = view.value;
    if (!drawer || ready.value !== scene) return;
    const chosen = selected.value ? lightOf([selected.value]).masks : new Set<string>();
    const wanted = overlays.value.filter((overlay) => (masksVisible.value && shown.value.has(overlay.id)) || chosen.has(overlay.id));
    const live = liveMask.value;
    void drawer.masks(scene, live ? [...wanted, live] : wanted, opacity.value).then(() => drawer.crosshair(scene));
  });

  useSignalEffect(() => {
    const drawer = view.value;
    void scene.crosshair.value;
    if (ready.value === scene) drawer?.crosshair(scene);
  });

  return (
    <div class="view volume" data-plane="3d">
      <canvas ref={canvas} tabIndex={0} role="img" aria-label={`3D view of ${scene.info.name}`} data-ready={ready.value ? "true" : "false"} />
      <div class="corner top left" aria-hidden="true"><b>3D</b></div>
      {failure.value && <p class="note">{failure}</p>}
      {!failure.value && !ready.value && <p class="note">Preparing the 3D view</p>}
      <label class="cut">
        <span>Cut</span>
        <input
          type="range" min="0" max="1" step="0.01" value={cut}
          onInput={(event) => {
            cut.value = Number(event.currentTarget.value);
            view.value?.cut(cut.value);
          }}
        />
      </label>
    </div>
  );
}
