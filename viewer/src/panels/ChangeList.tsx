/** What changed against the prior study. */

import { comparison } from "../state/compare";
import { goTo, titleOf, written } from "../state/findings";
import { prior } from "../state/store";

const MARKS = { increased: "▲", decreased: "▼", stable: "=" };

export function ChangeList() {
  const pairs = comparison.value?.pairs.filter(({ changes, status }) => changes.length || status === "new" || status === "resolved") ?? [];
  if (!prior.value || !comparison.value) return null;
  return (
    <section class="section changes" aria-label="Change since the prior study">
      <h2>Since {prior.value.study.date ?? prior.value.study.name}</h2>
      {pairs.length === 0 && <p class="quiet">No finding of both studies can be set against each other.</p>}
      <ul>
        {pairs.map(({ now, prior: then, status, changes }) => {
          const finding = now ?? then!;
          return (
            <li key={finding.id}>
              <button type="button" class="row" disabled={!now} onClick={() => now && void goTo(now.id)}>
                <span class="name">{titleOf(finding)}</span>
                {!changes.length && <span class="value">{status}</span>}
              </button>
              {changes.map((change) => (
                <p key={change.kind} class={`change ${change.direction}`}>
                  <span>{change.kind}</span>
                  <span>
                    {plain(change.before, change.unit)} → {plain(change.now, change.unit)} <b>{MARKS[change.direction]}{change.percent !== null && change.direction !== "stable" ? ` ${Math.abs(change.percent).toFixed(0)}%` : ""}</b>
                    <span class="visually-hidden"> {change.direction}</span>
                  </span>
                </p>
              ))}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const plain = (value: number, unit: string) => written({ kind: "", value, unit, low: null, high: null, outside: false }).text;
