/** Name of the study, comparison, export and help. */

import { api } from "../server/api";
import type { ExportForm } from "../server/types";
import { compareWith, endComparison } from "../state/compare";
import { attempt, helpOpen, panelOpen, prior, railOpen, report, scene, studies, study } from "../state/store";
import { Icon, IconButton, Mark } from "./icons";
import { Menu } from "./Menu";

const FORMS: { form: ExportForm; name: string; what: string; file: string }[] = [
  { form: "seg", name: "DICOM SEG", what: "masks for the archive", file: "masks.seg.dcm" },
  { form: "sr", name: "DICOM SR", what: "measurements for the archive", file: "report.sr.dcm" },
  { form: "nifti", name: "NIfTI", what: "masks for research", file: "masks.zip" },
  { form: "pdf", name: "PDF", what: "the report to print", file: "report.pdf" },
  { form: "html", name: "HTML", what: "the report with pictures", file: "report.html" },
  { form: "json", name: "JSON", what: "every finding, for programs", file: "report.json" },
  { form: "fhir", name: "FHIR", what: "a diagnostic report bundle", file: "report.fhir.json" },
];

export function TopBar() {
  return (
    <header class="top">
      <IconButton icon={railOpen.value ? "left" : "right"} label="Studies and images" keys="[" isOn={railOpen.value} class="quiet-on" onClick={() => (railOpen.value = !railOpen.value)} />
      <h1><Mark />groundglass</h1>
      <div class="title">
        {study.value && (
          <>
            <span>{study.value.name}</span>
            <small>{[scene.value?.info.modality.replace("OT", ""), scene.value?.info.body_part, study.value.date].filter(Boolean).join(" · ")}</small>
          </>
        )}
      </div>
      <div class="actions">
        {study.value && <CompareMenu />}
        {report.value && <ExportMenu />}
        <IconButton icon="help" label="Keys and gestures" keys="?" onClick={() => (helpOpen.value = true)} />
        {study.value && <IconButton icon={panelOpen.value ? "right" : "left"} label="Report" keys="]" isOn={panelOpen.value} class="quiet-on" onClick={() => (panelOpen.value = !panelOpen.value)} />}
      </div>
    </header>
  );
}

function CompareMenu() {
  const others = studies.value.filter((other) => other.id !== study.value?.id);
  if (prior.value) {
    return <button type="button" class="button" onClick={endComparison}><Icon name="compare" />End comparison</button>;
  }
  return (
    <Menu name="Compare with an earlier study" label={<><Icon name="compare" />Compare</>} isOff={!others.length}>
      {(close) => (
        <ul>
          {others.map((other) => (
            <li key={other.id}>
              <button type="button" class="item" onClick={() => { close(); void compareWith(other); }}>
                <span>{other.name}</span>
                <small>{[other.modalities.join(", "), other.date].filter(Boolean).join(" · ")}</small>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Menu>
  );
}

function ExportMenu() {
  const possible = FORMS.filter(({ form }) => report.value!.exports.includes(form));
  return (
    <Menu name="Export" label={<><Icon name="export" />Export</>}>
      {(close) => (
        <ul>
          {possible.map(({ form, name, what, file }) => (
            <li key={form}>
              <button type="button" class="item" onClick={() => { close(); void save(form, name, file); }}>
                <span>{name}</span>
                <small>{what}</small>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Menu>
  );
}

async function save(form: ExportForm, name: string, fallback: string): Promise<void> {
  await attempt(`Writing ${name}`, async () => {
    const answer = await api.export(study.value!.id, form);
    const given = /filename="?([^";]+)"?/.exec(answer.headers.get("content-disposition") ?? "")?.[1];
    const address = URL.createObjectURL(await answer.blob());
    const link = Object.assign(document.createElement("a"), { href: address, download: given ?? fallback });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  });
}
