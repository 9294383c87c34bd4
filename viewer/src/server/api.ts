/** The server's API, and its complaints in plain words. */

import type {
  Comparison, ExportForm, Finding, Folder, ImageInfo, Info, Job, Problem, Prompt, PromptResult, RemoteStudy, ReportView,
  StudySummary, Verdict,
} from "./types";

const BASE = "api/v1";

/** What went wrong and what to do, ready to be read by a person. */
export class ServerError extends Error {
  constructor(
    readonly problem: Problem,
    readonly status: number,
  ) {
    super(problem.detail || problem.title);
  }
}

const PLAIN: Record<number, string> = {
  401: "This server wants a token. Open the address that it printed when it started.",
  403: "The server does not allow this.",
  404: "This is no longer on the server. Open the study again.",
  413: "These files are larger than the server takes.",
  503: "The server is busy. Try again in a moment.",
};

async function problemOf(answer: Response): Promise<Problem> {
  const fallback: Problem = { title: PLAIN[answer.status] ?? `The server answered ${answer.status}.` };
  if (!/json/.test(answer.headers.get("content-type") ?? "")) return fallback;
  const body = await answer.json().catch(() => null);
  if (!body) return fallback;
  const detail = typeof body.detail === "string" ? body.detail : undefined;
  return { title: body.title ?? fallback.title, detail: answer.status === 401 ? PLAIN[401] : detail };
}

async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(`${BASE}${path}`, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ServerError({ title: "The server does not answer. Is groundglass serve still running?" }, 0);
  }
  if (!answer.ok) throw new ServerError(await problemOf(answer), answer.status);
  return answer;
}

const json = <T>(path: string, options?: RequestInit): Promise<T> => ask(path, options).then((answer) => answer.json());

const send = (method: string, body?: unknown): RequestInit =>
  body === undefined
    ? { method }
    : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };

const of = encodeURIComponent;

export const api = {
  info: () => json<Info>("/info"),

  studies: () => json<{ studies: StudySummary[] }>("/studies").then((answer) => answer.studies),
  openPath: (path: string) => json<StudySummary>("/studies", send("POST", { path })),
  openDicomweb: (uid: string) => json<StudySummary>("/studies", send("POST", { dicomweb: uid })),
  upload(files: readonly File[], progress: (share: number) => void): Promise<StudySummary> {
    // fetch() tells nothing of an upload's progress.
    return new Promise((resolve, reject) => {
      const form = new FormData();
      for (const file of files) form.append("files", file, file.name);
      const request = new XMLHttpRequest();
      request.open("POST", `${BASE}/studies`);
      request.responseType = "text";
      request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
      request.onerror = () => reject(new ServerError({ title: "The files could not be sent." }, 0));
      request.onload = () => {
        if (request.status < 300) return resolve(JSON.parse(request.responseText));
        const answer = new Response(request.responseText, {
          status: request.status,
          headers: { "content-type": request.getResponseHeader("content-type") ?? "" },
        });
        problemOf(answer).then((problem) => reject(new ServerError(problem, request.status)));
      };
      request.send(form);
    });
  },
  folder: (path: string) => json<Folder>(`/folder?path=${of(path)}`),
  remoteStudies: (patient: string) =>
    json<{ studies: RemoteStudy[] }>(`/dicomweb/studies?patient=${of(patient)}`).then((answer) => answer.studies),
  terms: () => json<{ terms: string[] }>("/terms").then((answer) => answer.terms),
  close: (study: string) => ask(`/studies/${of(study)}`, { method: "DELETE" }),

  images: (study: string) =>
    json<{ images: ImageInfo[] }>(`/studies/${of(study)}/images`).then((answer) => answer.images),
  volume: (study: string, image: string) =>
    ask(`/studies/${of(study)}/images/${of(image)}/volume.nii.gz`).then((answer) => answer.arrayBuffer()),
  thumbnail: (study: string, image: string) => `${BASE}/studies/${of(study)}/images/${of(image)}/thumbnail.png`,

  read: (study: string, wish: { clinical?: string; prior_study?: string; language?: string }) =>
    json<Job>(`/studies/${of(study)}/read`, send("POST", wish)),
  jobEvents: (job: string) => new EventSource(`${BASE}/jobs/${of(job)}/events`),
  job: (job: string) => json<Job>(`/jobs/${of(job)}`),
  cancel: (job: string) => ask(`/jobs/${of(job)}`, { method: "DELETE" }),

  report: (study: string) => json<ReportView>(`/studies/${of(study)}/report`),
  review: (study: string, finding: string, change: { verdict?: Verdict; sentence?: string | null }) =>
    ask(`/studies/${of(study)}/findings/${of(finding)}`, send("PATCH", change)),
  findingMask: (study: string, finding: string) =>
    ask(`/studies/${of(study)}/findings/${of(finding)}/mask.nii.gz`).then((answer) => answer.arrayBuffer()),
  removeFinding: (study: string, finding: string) =>
    ask(`/studies/${of(study)}/findings/${of(finding)}`, { method: "DELETE" }),
  compare: (study: string, prior: string) => json<Comparison>(`/studies/${of(study)}/compare/${of(prior)}`),
  export: (study: string, form: ExportForm) => ask(`/studies/${of(study)}/export/${form}`),

  startSession: (study: string, image: string, axis: number | null) =>
    json<{ session: string }>(`/studies/${of(study)}/images/${of(image)}/sessions`, send("POST", { axis })),
  prompt: (session: string, prompt: Prompt) =>
    json<PromptResult>(`/sessions/${of(session)}/prompts`, send("POST", prompt)),
  step: (session: string, step: "undo" | "redo" | "reset" | "propagate") =>
    json<PromptResult>(`/sessions/${of(session)}/${step}`, send("POST")),
  sessionSlice: (session: string, axis: number | null, index: number | null) =>
    ask(`/sessions/${of(session)}/slice.png${axis === null ? "" : `?axis=${axis}&index=${index}`}`).then((answer) => answer.blob()),
  sessionMask: (session: string) => ask(`/sessions/${of(session)}/mask.nii.gz`).then((answer) => answer.arrayBuffer()),
  accept: (session: string, term: string) =>
    json<Finding>(`/sessions/${of(session)}/accept`, send("POST", { term })),
  endSession: (session: string) => ask(`/sessions/${of(session)}`, { method: "DELETE", keepalive: true }),
};
