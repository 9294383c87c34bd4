/** The room: rail, image, report, and a line of status below. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Complaint, Status } from "./panels/Status";
import { Help } from "./panels/Help";
import { Rail } from "./panels/Rail";
import { ReportPanel } from "./panels/ReportPanel";
import { SegmentBar, Toolbar } from "./panels/Toolbar";
import { TopBar } from "./panels/TopBar";
import { Icon, Mark } from "./panels/icons";
import { SliceView } from "./view/SliceView";
import { VolumeView } from "./view/VolumeView";
import { filesOfDrop, upload } from "./state/open";
import { layout, mainPlane, panelOpen, prior, railOpen, scene, study } from "./state/store";
import type { Scene } from "./view/scene";

export function App() {
  const isDropping = useSignal(false);
  useEffect(() => {
    let depth = 0;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const show = (change: number) => (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth = Math.max(0, depth + change);
      isDropping.value = depth > 0;
    };
    const enter = show(1);
    const leave = show(-1);
    const over = (event: DragEvent) => hasFiles(event) && event.preventDefault();
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer || !hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      isDropping.value = false;
      void filesOfDrop(event.dataTransfer).then(upload);
    };
    const listeners = { dragenter: enter, dragleave: leave, dragover: over, drop } as const;
    for (const [name, listener] of Object.entries(listeners)) addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) removeEventListener(name, listener as EventListener);
    };
  }, []);
  return (
    <div class={`room${railOpen.value ? "" : " no-rail"}${panelOpen.value && study.value ? "" : " no-panel"}`}>
      <TopBar />
      {railOpen.value && <Rail />}
      <main class="stage" aria-label="Image">
        <Toolbar />
        <Stage />
        <SegmentBar />
      </main>
      {panelOpen.value && <ReportPanel />}
      <Status />
      <Complaint />
      <Help />
      {isDropping.value && <div class="dropping" aria-hidden="true"><p><Icon name="open" />Let go to open</p></div>}
    </div>
  );
}

function Stage() {
  const shown = scene.value;
  if (!shown) return <Empty />;
  if (prior.value) return <SideBySide now={shown} then={prior.value.scene} />;
  const main = shown.planes.find((plane) => plane.name === mainPlane.value) ?? shown.planes[0];
  const others = shown.planes.filter((plane) => plane !== main);
  const form = others.length ? layout.value : "single";
  const key = (name: string) => `${study.value!.id} ${shown.info.id} ${name}`;
  const maximise = (name: string) => {
    if (main.name === name) layout.value = layout.value === "single" ? "focus" : "single";
    else mainPlane.value = name;
  };
  return (
    <div class={`views ${form}`}>
      <SliceView key={key(main.name)} scene={shown} plane={main} isMain onMaximise={() => maximise(main.name)} />
      {form !== "single" && others.map((plane) => (
        <SliceView key={key(plane.name)} scene={shown} plane={plane} onMaximise={() => maximise(plane.name)} />
      ))}
      {form === "grid" && <VolumeView key={key("3d")} scene={shown} />}
    </div>
  );
}

function SideBySide({ now, then }: { now: Scene; then: Scene }) {
  const plane = now.planes.find((known) => known.name === mainPlane.value) ?? now.planes[0];
  const other = then.planes.find((known) => known.name === plane.name) ?? then.planes[0];
  return (
    <div class="views pair">
      <SliceView key={`prior ${then.info.id} ${other.name}`} scene={then} plane={other} isPrior />
      <SliceView key={`now ${now.info.id} ${plane.name}`} scene={now} plane={plane} isMain />
    </div>
  );
}

function Empty() {
  return (
    <div class="empty">
      <Mark />
      <h2>Drop images here</h2>
      <p>DICOM, NIfTI, PNG or a zip of them. Or choose a study on the left.</p>
    </div>
  );
}
