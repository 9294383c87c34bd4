import "./style.css";
import { render } from "preact";
import { App } from "./App";
import { onKey } from "./keys";
import { api } from "./server/api";
import { openStudy, refreshStudies } from "./state/open";
import { endSession } from "./state/segment";
import { complain, info, studies } from "./state/store";

render(<App />, document.getElementById("room")!);
addEventListener("keydown", onKey);
// The server holds few sessions: one that nobody looks at any more is given back.
addEventListener("pagehide", () => void endSession());

async function begin(): Promise<void> {
  info.value = await api.info();
  await refreshStudies();
  const wanted = decodeURIComponent(location.hash.slice(1));
  const known = studies.value.find((study) => study.id === wanted);
  if (known) await openStudy(known);
}

begin().catch(complain);
