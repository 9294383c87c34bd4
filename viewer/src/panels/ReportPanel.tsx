/** The report beside the image: its sentences lead to their places, and can be reworded. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { allFindings, findingById, goTo, isStructure } from "../state/findings";
import { progress, read, review, stopReading, type Progress as Steps } from "../state/reading";
import { hovered, panelTab, report, selected, study, type PanelTab } from "../state/store";
import type { Finding, Sentence } from "../server/types";
import { MaskList, ReviewList } from "./FindingList";
import { ChangeList } from "./ChangeList";
import { Icon } from "./icons";

const ASIDE = ["indication", "technique", "comparison", "limitations"];

export function ReportPanel() {
  if (!study.value) return null;
  return (
    <aside class="panel" aria-label="Report">
      {progress.value[study.value.id] ? <Progress now={progress.value[study.value.id]} /> : report.value ? <Tabs /> : <Invitation />}
    </aside>
  );
}

function Invitation() {
  const clinical = useSignal("");
  const language = useSignal("en");
  return (
    <form
      class="invitation"
      onSubmit={(event) => {
        event.preventDefault();
        void read({ clinical: clinical.value.trim(), language: language.value });
      }}
    >
      <h2>Not read yet</h2>
      <p>Outlines, measurements and a draft report are made on this server. Nothing leaves it.</p>
      <label class="field">
        <span>Clinical question</span>
        <textarea rows={3} maxLength={2000} placeholder="Optional" value={clinical} onInput={(event) => (clinical.value = event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>Language</span>
        <select value={language} onChange={(event) => (language.value = event.currentTarget.value)}>
          <option value="en">English</option>
          <option value="id">Bahasa Indonesia</option>
        </select>
      </label>
      <button type="submit" class="button primary wide" title="R" aria-keyshortcuts="R">Read this study</button>
    </form>
  );
}

function Progress({ now }: { now: Steps }) {
  return (
    <div class="progress" role="status" aria-live="polite">
      <h2>Reading</h2>
      <div class="thread" aria-hidden="true" />
      <ol>
        {now.steps.slice(-7).map((step, n, all) => <li key={`${n} ${step}`} aria-current={n === all.length - 1 ? "step" : undefined}>{step}</li>)}
        {now.steps.length === 0 && <li aria-current="step">Waiting for its turn</li>}
      </ol>
      <button type="button" class="button" onClick={() => void stopReading()}>Stop</button>
    </div>
  );
}

function Tabs() {
  const root = useRef<HTMLDivElement>(null);
  const observations = allFindings().filter((finding) => !isStructure(finding) && finding.source === "model");
  const reviewed = observations.filter((finding) => finding.verdict !== "open").length;
  const tabs: [PanelTab, string, string][] = [
    ["report", "Report", ""],
    ["review", "Review", observations.length ? `${reviewed}/${observations.length}` : ""],
    ["masks", "Masks", ""],
  ];
  useEffect(() => {
    root.current?.querySelector('[role="tabpanel"] [aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  }, [selected.value, panelTab.value]);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    event.stopPropagation();
    const at = tabs.findIndex(([tab]) => tab === panelTab.value);
    panelTab.value = tabs[(at + by + tabs.length) % tabs.length][0];
    queueMicrotask(() => root.current?.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]')?.focus());
  };
  return (
    <div class="tabs" ref={root}>
      <div role="tablist" aria-label="Report, review and masks" onKeyDown={onKeyDown}>
        {tabs.map(([tab, name, count]) => (
          <button
            key={tab} type="button" role="tab" id={`tab-${tab}`} aria-controls="tab-panel" aria-selected={panelTab.value === tab}
            tabIndex={panelTab.value === tab ? 0 : -1} onClick={() => (panelTab.value = tab)}
          >
            {name}{count && <small>{count}</small>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="tab-panel" aria-labelledby={`tab-${panelTab.value}`}>
        {panelTab.value === "report" ? <Report /> : panelTab.value === "review" ? <ReviewList /> : <MaskList />}
      </div>
    </div>
  );
}

function Report() {
  const { document: { report: text } } = report.value!;
  // A study that was drawn on, but not read.
  if (!text.sections.length) return <Invitation />;
  const main = text.sections.filter((section) => !ASIDE.includes(section.name) && section.sentences.length);
  const aside = text.sections.filter((section) => ASIDE.includes(section.name) && section.sentences.length);
  // The answer first, then what it rests on.
  main.sort((a, b) => Number(b.name === "impression") - Number(a.name === "impression"));
  return (
    <div class="report">
      <ChangeList />
      {main.map((section) => (
        <section key={section.name} class={`section ${section.name}`}>
          <h2>{section.heading ?? section.name}</h2>
          <SectionText sentences={section.sentences} asList={section.name === "impression"} />
        </section>
      ))}
      {aside.length > 0 && (
        <details class="section aside">
          <summary>Indication, technique, limits</summary>
          {aside.map((section) => (
            <div key={section.name}>
              <h3>{section.heading ?? section.name}</h3>
              {section.sentences.map((sentence) => <p key={sentence.text}>{sentence.text}</p>)}
            </div>
          ))}
        </details>
      )}
      {text.models && text.models.length > 0 && (
        <p class="models">Made by {text.models.map((model) => `${model.name} ${model.version}`).join(", ")}.</p>
      )}
    </div>
  );
}

/** Sentences that only say that an organ was outlined go into one quiet line. */
function SectionText({ sentences, asList }: { sentences: Sentence[]; asList: boolean }) {
  const isPlain = (sentence: Sentence) => {
    const stated = (sentence.findings ?? []).map(findingById).filter((finding) => finding !== undefined);
    return stated.length > 0 && stated.every((finding) => isStructure(finding) && !finding.measurements.length);
  };
  const telling = sentences.filter((sentence) => !isPlain(sentence));
  const plain = sentences.filter(isPlain);
  return (
    <>
      <div class={asList ? "sentences list" : "sentences"}>
        {telling.map((sentence, n) => <SentenceLine key={`${n} ${sentence.text}`} sentence={sentence} />)}
      </div>
      {plain.length > 0 && (
        <p class="outlined">
          <span>Outlined: </span>
          {plain.flatMap((sentence) => sentence.findings ?? []).map((id) => findingById(id)).filter((f): f is Finding => f !== undefined).map((finding, n) => (
            <span key={finding.id}>{n > 0 && ", "}<FindingLink finding={finding} /></span>
          ))}
        </p>
      )}
    </>
  );
}

function FindingLink({ finding }: { finding: Finding }) {
  return (
    <button
      type="button" class="link" aria-current={selected.value === finding.id}
      onClick={() => void goTo(finding.id)}
      onPointerEnter={() => (hovered.value = [finding.id])} onPointerLeave={() => (hovered.value = [])}
      onFocus={() => (hovered.value = [finding.id])} onBlur={() => (hovered.value = [])}
    >
      {finding.side && finding.side !== "midline" ? `${finding.side} ${finding.term}` : finding.term}
    </button>
  );
}

function SentenceLine({ sentence }: { sentence: Sentence }) {
  const isEditing = useSignal(false);
  const stated = (sentence.findings ?? []).map(findingById).filter((finding) => finding !== undefined);
  const first = stated[0];
  const ids = stated.map((finding) => finding.id);
  // A reviewer's wording replaces the first sentence that the report has for the finding.
  const own = first && first.sentence !== null && first.sentences[0] === sentence.text ? first.sentence : null;
  const text = own ?? sentence.text;
  if (!first) return <p class="sentence plain">{text}</p>;
  if (isEditing.value) return <Editor text={text} finding={first} close={() => (isEditing.value = false)} />;
  const isRejected = stated.every((finding) => finding.verdict === "rejected");
  const isAccepted = stated.every((finding) => finding.verdict === "accepted");
  return (
    <div class="sentence-row">
      <button
        type="button"
        class={`sentence ${statusClass(first)}${isRejected ? " rejected" : ""}${isAccepted ? " accepted" : ""}`}
        aria-current={ids.includes(selected.value ?? "")}
        data-findings={ids.join(" ")}
        onClick={() => void goTo(ids.includes(selected.value ?? "") ? ids[(ids.indexOf(selected.value!) + 1) % ids.length] : first.id)}
        onPointerEnter={() => (hovered.value = ids)} onPointerLeave={() => (hovered.value = [])}
        onFocus={() => (hovered.value = ids)} onBlur={() => (hovered.value = [])}
        onDblClick={() => (isEditing.value = true)}
      >
        {text}
        {own !== null && <small> edited</small>}
      </button>
      <button type="button" class="icon-button small edit" aria-label={`Edit: ${text}`} title="Edit the sentence (E)" data-edit={ids[0]} onClick={() => (isEditing.value = true)}>
        <Icon name="pencil" />
      </button>
    </div>
  );
}

function statusClass(finding: Finding): string {
  if (isStructure(finding)) return "structure";
  return finding.status;
}

function Editor({ text, finding, close }: { text: string; finding: Finding; close: () => void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const wording = useSignal(text);
  useEffect(() => {
    area.current?.focus();
    area.current?.select();
  }, []);
  const save = () => {
    close();
    const said = wording.value.trim();
    if (said !== text) void review(finding.id, { sentence: said === finding.sentences[0] || !said ? null : said });
  };
  return (
    <div class="editor">
      <textarea
        ref={area} rows={3} maxLength={2000} aria-label="Sentence" value={wording}
        onInput={(event) => (wording.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Escape") close();
          if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            save();
          }
        }}
      />
      <div>
        <button type="button" class="button primary" onClick={save}>Save</button>
        <button type="button" class="button" onClick={close}>Cancel</button>
        {finding.sentence !== null && (
          <button type="button" class="button" onClick={() => { close(); void review(finding.id, { sentence: null }); }}>As it was</button>
        )}
      </div>
    </div>
  );
}

/** Open the editor of the selected finding's sentence. */
export function editSelected(): void {
  const id = selected.value;
  if (!id) return;
  panelTab.value = "report";
  requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-edit="${CSS.escape(id)}"]`)?.click());
}
