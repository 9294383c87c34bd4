/** Findings with their verdicts, and the masks with their colours and opacity. */

import { allFindings, colourOf, goTo, isStructure, opacityOf, titleOf, toggleShown, written } from "../state/findings";
import { removeFinding, review } from "../state/reading";
import { hovered, opacities, opacity, selected, shown } from "../state/store";
import type { Finding, Verdict } from "../server/types";
import { Icon, IconButton } from "./icons";

/** What was said of the patient, to be accepted or rejected. */
export function ReviewList() {
  const observations = allFindings().filter((finding) => !isStructure(finding));
  if (!observations.length) return <p class="section quiet">Nothing was found that needs a verdict.</p>;
  return (
    <section class="section" aria-label="Findings to review">
      <ul>{observations.map((finding) => <FindingRow key={finding.id} finding={finding} />)}</ul>
    </section>
  );
}

/** Names, colours and opacity of what is drawn over the image. */
export function MaskList() {
  const masked = allFindings().filter((finding) => finding.mask_url);
  if (!masked.length) return <p class="section quiet">No finding has a mask.</p>;
  const sorted = [...masked.filter((f) => !isStructure(f)), ...masked.filter(isStructure)];
  return (
    <section class="section masks" aria-label="Masks">
      <label class="slider">
        <span>Opacity</span>
        <input
          type="range" min="0" max="1" step="0.02" value={opacity}
          onInput={(event) => {
            opacity.value = Number(event.currentTarget.value);
            opacities.value = {};
          }}
        />
        <output>{Math.round(opacity.value * 100)}%</output>
      </label>
      <div class="masks-all">
        <button type="button" class="button small" onClick={() => (shown.value = new Set(masked.map(({ id }) => id)))}>Show all</button>
        <button type="button" class="button small" onClick={() => (shown.value = new Set())}>Hide all</button>
      </div>
      <ul>{sorted.map((finding) => <MaskRow key={finding.id} finding={finding} />)}</ul>
    </section>
  );
}

const light = (finding: Finding) => ({
  onPointerEnter: () => (hovered.value = [finding.id]),
  onPointerLeave: () => (hovered.value = []),
});

const SAID: Record<Finding["status"], string> = { present: "present", absent: "absent", uncertain: "uncertain" };

function FindingRow({ finding }: { finding: Finding }) {
  const isSelected = selected.value === finding.id;
  const measured = finding.measurements.map((measurement) => ({ ...measurement, ...written(measurement) }));
  const volume = volumeOf(finding);
  const telling = measured.find((measurement) => measurement.outside) ?? measured[0];
  const decide = (verdict: Verdict) => void review(finding.id, { verdict: finding.verdict === verdict ? "open" : verdict });
  return (
    <li class={`finding ${finding.status} ${finding.verdict}`} data-finding={finding.id} aria-current={isSelected} {...light(finding)}>
      <button type="button" class="row" onClick={() => void goTo(finding.id)}>
        <span class="dot" aria-hidden="true" />
        <span class="name">{titleOf(finding)}</span>
        <span class="value">
          {telling ? <b class={telling.outside ? "outside" : ""}>{telling.text}</b> : volume && <b>{volume.text}</b>}
          <span class="visually-hidden">, {SAID[finding.status]}</span>
        </span>
      </button>
      {finding.source === "person" ? (
        <span class="verdicts">
          <IconButton icon="bin" label={`Delete ${titleOf(finding)}`} class="small" onClick={() => void removeFinding(finding.id)} />
        </span>
      ) : <span class="verdicts">
        <IconButton icon="check" label={`Accept ${titleOf(finding)}`} keys={isSelected ? "A" : undefined} isOn={finding.verdict === "accepted"} class="small accept" onClick={() => decide("accepted")} />
        <IconButton icon="cross" label={`Reject ${titleOf(finding)}`} keys={isSelected ? "X" : undefined} isOn={finding.verdict === "rejected"} class="small reject" onClick={() => decide("rejected")} />
      </span>}
      {isSelected && (measured.length > 0 || finding.score !== null) && (
        <dl class="details">
          <div><dt>Status</dt><dd>{SAID[finding.status]}{finding.source === "person" ? ", drawn by a reader" : ""}</dd></div>
          {measured.map((measurement) => (
            <div key={measurement.kind}>
              <dt>{measurement.kind}</dt>
              <dd><b class={measurement.outside ? "outside" : ""}>{measurement.text}</b>{measurement.limits && <small>{measurement.limits}</small>}</dd>
            </div>
          ))}
          {finding.score !== null && <div><dt>Score</dt><dd>{finding.score.toFixed(2)}</dd></div>}
        </dl>
      )}
    </li>
  );
}

/** The volume that the report states (it may count part voxels), else that of the mask. */
function volumeOf(finding: Finding) {
  const stated = finding.measurements.find((measurement) => measurement.kind === "volume");
  if (stated) return written(stated);
  const value = finding.volume_ml;
  return value === null ? null : written({ kind: "volume", value, unit: "mL", low: null, high: null, outside: false });
}

function MaskRow({ finding }: { finding: Finding }) {
  const isShown = shown.value.has(finding.id);
  const isSelected = selected.value === finding.id;
  const volume = volumeOf(finding);
  return (
    <li class="mask" aria-current={isSelected} {...light(finding)}>
      <button type="button" class="swatch" role="switch" aria-checked={isShown} aria-label={`Show ${titleOf(finding)}`} style={{ "--colour": colourOf(finding) }} onClick={() => toggleShown(finding.id)}>
        {isShown && <Icon name="check" />}
      </button>
      <button type="button" class="row" onClick={() => void goTo(finding.id)}>
        <span class="name">{titleOf(finding)}</span>
        {volume && <span class="value">{volume.text}</span>}
      </button>
      {isSelected && isShown && (
        <label class="slider own">
          <span class="visually-hidden">Opacity of {titleOf(finding)}</span>
          <input type="range" min="0" max="1" step="0.02" value={opacityOf(finding.id)} onInput={(event) => (opacities.value = { ...opacities.value, [finding.id]: Number(event.currentTarget.value) })} />
        </label>
      )}
    </li>
  );
}
