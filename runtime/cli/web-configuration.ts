/** What the flags say about the web. */
import type { WebConfiguration } from "../environment.ts";
import type { WebArguments } from "./flags.ts";

/** Undefined where no flag asks for the web. */
export function webConfiguration({
  web,
  search,
  searxng,
}: WebArguments): WebConfiguration | undefined {
  const isLocal = search?.every((name) => name === "local") ?? true;
  return web || !isLocal || searxng !== undefined ? { search, searxng } : undefined;
}
