/** What the answers of a thread cite. A function of the log. */
import { BrowserSession } from "../../tools/index.ts";
import { type CitedSources, citedSources, resolveCitations } from "../citations/index.ts";
import type { Annotation, Item } from "../events.ts";
import { type ThreadState, toolStatesOf } from "./state.ts";

/** Pages are the same as long as no call has left anything more. */
const REMEMBERED = new WeakMap<ThreadState["toolStates"], CitedSources>();

/** The pages that the calls of a thread have shown. */
export function sourcesOf(state: ThreadState): CitedSources {
  const known = REMEMBERED.get(state.toolStates);
  if (known !== undefined) return known;
  const sources = citedSources(BrowserSession.of(toolStatesOf(state, "browser")));
  REMEMBERED.set(state.toolStates, sources);
  return sources;
}

/** What the citations of an answer cite, held against the pages of the thread. */
export function annotationsOf(text: string, state: ThreadState): readonly Annotation[] {
  return resolveCitations(text, sourcesOf(state));
}

/** The item of what was said to the user, with what it cites. */
export function annotated(item: Item, state: ThreadState): Item {
  if (item.type !== "agent_message") return item;
  const annotations = annotationsOf(item.text, state);
  return annotations.length === 0 ? item : { ...item, annotations };
}
