/** What the answers of a thread cite. A function of the log. */
import { BrowserSession } from "../../tools/index.ts";
import {
  type CitedSources,
  citedSources,
  resolveCitations,
  type VerifiedCitations,
  verifyCitations,
} from "../citations/index.ts";
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

/**
 * What the citations of an answer cite, held against the pages of the thread.
 * @param isVerified whether the cited lines are compared with their sentences as well; default: as the turn that is
 *   open says
 */
export function annotationsOf(
  text: string,
  state: ThreadState,
  isVerified: boolean = state.turn?.settings.verifyCitations ?? false,
): readonly Annotation[] {
  return isVerified
    ? verifiedAnnotations(text, state).annotations
    : resolveCitations(text, sourcesOf(state));
}

/** The same, always compared, and what a model and a person are told of it. */
export function verifiedAnnotations(text: string, state: ThreadState): VerifiedCitations {
  const sources = sourcesOf(state);
  return verifyCitations(text, resolveCitations(text, sources), sources);
}

/** The item of what was said to the user, with what it cites. */
export function annotated(item: Item, state: ThreadState): Item {
  if (item.type !== "agent_message") return item;
  const annotations = annotationsOf(item.text, state);
  return annotations.length === 0 ? item : { ...item, annotations };
}
