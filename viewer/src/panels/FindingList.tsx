/** Findings with their verdicts, and the masks with their colours and opacity. */

import { allFindings, goTo, isStructure, opacityOf, titleOf, toggleShown, written } from "../state/findings";
import { review } from "../state/reading";
import { hovered, opacities, opacity, selected, shown } from "../state/store";
import type { Finding, Verdict } from "../server/types";
import { Icon, IconButton } from "./icons";

export function FindingList() {
  const findings = allFindings();
  const observations = findings.filter((finding) => !isStructure(finding));
  const structures = findings.filter((finding) => isStructure(finding) && finding.mask_url);
  const reviewed = observations.filter((finding) => finding.verdict !== "open").length;
  return (
    <>
      {observations.length > 0 && (
        <section class="section findings-list" aria-label="Findings to review">
          <h2>Review <small>{reviewed} of {observations.length}</small></h2>
          <ul>{observations.map((finding) => <FindingRow key={finding.id} finding={finding} />)}</ul>
        </section>
      )}
      {findings.some((finding) => finding.mask_url) && (
        <section class="section masks" aria-label="Masks">
          <h2>Masks</h2>
          <label class="slider">
            <span>Opacity</span>
            <input type="range" min="0" max="1" step="0.02" value={opacity} onInput={(event) => { opacity.value = Number(event.currentTarget.value); opacities.value = {}; }} />
            <output>{Math.round(opacity.value * 100)}%</output>
          </label>
          {structures.length > 0 && (
            <div class="masks-all">
              <button type="button" class="button small" onClick={() => structures.forEach((f) => toggleShown(f.id, true))}>Show all</button>
              <button type="button" class="button small" onClick={() => structures.forEach((f) => toggleShown(f.id, false))}>Hide all</button>
            </div>
          )}
          <ul>{[...observations.filter((f) => f.mask_url), ...structures].map((finding) => <MaskRow key={finding.id} finding={finding} />)}</ul>
        </section>
      )}
    </>
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
  const telling = measured.find((measurement) => measurement.outside) ?? measured[0];
  const decide = (verdict: Verdict) => void review(finding.id, { verdict: finding.verdict === verdict ? "open" : verdict });
  return (
    <li class={`finding ${finding.status} ${finding.verdict}`} data-finding={finding.id} aria-current={isSelected} {...light(finding)}>
      <button type="button" class="row" onClick={() => void goTo(finding.id)}>
        <span class="dot" aria-hidden="true" />
        <span class="name">{titleOf(finding)}</span>
        <span class="value">
          {telling ? <b class={telling.outside ? "outside" : ""}>{telling.text}</b> : finding.volume_ml !== null ? <b>{finding.volume_ml.toFixed(1)}{"\u202f"}mL</b> : null}
          <span class="visually-hidden">, {SAID[finding.status]}</span>
        </span>
      </button>
      <span class="verdicts">
        <IconButton icon="check" label={`Accept ${titleOf(finding)}`} keys={isSelected ? "A" : undefined} isOn={finding.verdict === "accepted"} class="small accept" onClick={() => decide("accepted")} />
        <IconButton icon="cross" label={`Reject ${titleOf(finding)}`} keys={isSelected ? "X" : undefined} isOn={finding.verdict === "rejected"} class="small reject" onClick={() => decide("rejected")} />
      </span>
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

function MaskRow({ finding }: { finding: Finding }) {
  const isShown = shown.value.has(finding.id);
  const isSelected = selected.value === finding.id;
  const colour = `rgb(${(finding.colour ?? [143, 208, 192]).join(" ")})`;
  return (
    <li class="mask" aria-current={isSelected} {...light(finding)}>
      <button type="button" class="swatch" role="switch" aria-checked={isShown} aria-label={`Show ${titleOf(finding)}`} style={{ "--colour": colour }} onClick={() => toggleShown(finding.id)}>
        {isShown && <Icon name="check" />}
      </button>
      <button type="button" class="row" onClick={() => void goTo(finding.id)}>
        <span class="name">{titleOf(finding)}</span>
        {finding.volume_ml !== null && <span class="value">{finding.volume_ml.toFixed(finding.volume_ml < 10 ? 2 : 0)}{"\u202f"}mL</span>}
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
