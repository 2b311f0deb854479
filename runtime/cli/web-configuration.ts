/** What the flags say about the web. */
import type { WebConfiguration } from "../environment.ts";
import type { WebArguments } from "./flags.ts";

/** Whom a run may ask, so that a setting that lets it is not forgotten. */
export function webNote({ search, searxng }: WebConfiguration): string {
  const services = search ?? [searxng === undefined ? "duckduckgo/mojeek" : "searxng"];
  const names = services.map((name) => name.replaceAll("/", " or ")).join(", ");
  return `the model may open pages of the web, and search it with ${names || "no service"}.`;
}

/** Undefined where no flag asks for the web. */
export function webConfiguration({
  web,
  search,
  searxng,
}: WebArguments): WebConfiguration | undefined {
  const isLocal = search?.every((name) => name === "local") ?? true;
  return web || !isLocal || searxng !== undefined ? { search, searxng } : undefined;
}
