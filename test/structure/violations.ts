/** Source files held against the tables of `rules.ts`: what breaks them, and which files import each other in a circle. */

import type { Import, SourceFile } from "./import-graph.ts";
import { importsOf } from "./import-graph.ts";
import { ALLOWED, DOORS, FACE_DOORS, FACES, ONLY_HERE, ORDER } from "./rules.ts";

export type Violation = { readonly path: string; readonly rule: string };

const topFolder = (path: string) => path.slice(0, path.indexOf("/"));

/** Imports across top folders, and by which file a folder is entered. */
function acrossFolders(path: string, { target, specifier, kind }: Import): string | null {
  const folder = topFolder(path);
  if (target === null) {
    return folder === "harmony" && !path.startsWith("harmony/vocabulary/")
      ? `harmony is pure, but imports ${specifier}`
      : null;
  }
  const to = topFolder(target);
  const allowed = ALLOWED[folder] ?? [];
  if (to === folder) return null;
  if (to === "test" || ALLOWED[to] === undefined) return `${folder} must not import ${target}`;
  if (allowed.includes(`${to}*`) && kind !== "type") {
    return `${folder} may import only types from ${to}, but imports ${target} as a value`;
  }
  if (!allowed.includes(to) && !allowed.includes(`${to}*`)) {
    return `${folder} must not import ${to} (${target})`;
  }
  if (folder !== "test" && !(DOORS[to] ?? []).includes(target)) {
    return `${to} is entered by its index.ts only, but ${target} is imported`;
  }
  return null;
}

/** The item of `ORDER` that `path` belongs to, with its row; undefined for a file without one. */
function itemOf(path: string): { item: string; row: number } | undefined {
  const rows = ORDER[topFolder(path)] ?? [];
  const inside = path.slice(path.indexOf("/") + 1);
  for (const [row, { items }] of rows.entries()) {
    const item = items.find((name) =>
      name.endsWith("/") ? inside.startsWith(name) : inside === name,
    );
    if (item !== undefined) return { item, row };
  }
  return undefined;
}

/** Imports inside a top folder: the rows of `ORDER`, and what the faces of the runtime may use. */
function insideFolder(path: string, { target, kind }: Import): string | null {
  if (target === null || topFolder(target) !== topFolder(path)) return null;
  const type = kind === "type" ? " (types count)" : "";
  const face = FACES.find((folder) => path.startsWith(folder));
  if (face !== undefined && !target.startsWith(face) && !FACE_DOORS.includes(target)) {
    const other = FACES.find((folder) => target.startsWith(folder));
    if (face !== "runtime/cli/" || target !== `${other}index.ts`) {
      return `a face of the runtime uses its index.ts and environment.ts, but imports ${target}${type}`;
    }
  }
  const from = itemOf(path);
  const to = itemOf(target);
  if (from === undefined || to === undefined || from.item === to.item || from.row > to.row) {
    return null;
  }
  if (from.row < to.row)
    return `${from.item} stands below ${to.item}, but imports ${target}${type}`;
  const row = ORDER[topFolder(path)]?.[from.row];
  return row?.mutual ? null : `${from.item} stands beside ${to.item}, but imports ${target}${type}`;
}

/** Only code that runs is held to the "only here" rules: comments and type imports are free. */
function codeOnly(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|\s)\/\/.*$/gm, "$1")
    .replace(/^[ \t]*(?:import|export)\s+type\s[^;]*;/gm, "");
}

/** Everything in `files` that breaks a table, in the order of the files; each rule once a file. */
export function violations(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const { path, text } = file;
    const folder = topFolder(path);
    if (ALLOWED[folder] === undefined) return [];
    const rules = new Set<string>();
    for (const found of importsOf(file)) {
      const rule = acrossFolders(path, found) ?? insideFolder(path, found);
      if (rule !== null) rules.add(rule);
    }
    if (ORDER[folder] !== undefined) {
      if (itemOf(path) === undefined) rules.add("has no row in the table ORDER of rules.ts");
      const code = codeOnly(text);
      for (const { what, pattern, where } of ONLY_HERE) {
        if (pattern.test(code) && !where.some((prefix) => path.startsWith(prefix))) {
          rules.add(`only ${where.join(", ")} may use ${what}`);
        }
      }
    }
    return [...rules].map((rule) => ({ path, rule }));
  });
}

/** Groups of nodes of which each reaches each other (Tarjan's strongly connected components), each sorted. */
function circlesOf(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const stack: string[] = [];
  const states = new Map<string, { readonly index: number; low: number; onStack: boolean }>();
  const visit = (node: string) => {
    const state = { index: states.size, low: states.size, onStack: true };
    states.set(node, state);
    stack.push(node);
    for (const next of edges.get(node) ?? []) {
      const seen = states.get(next);
      if (seen === undefined) state.low = Math.min(state.low, visit(next).low);
      else if (seen.onStack) state.low = Math.min(state.low, seen.index);
    }
    if (state.low === state.index) {
      const members = stack.splice(stack.indexOf(node));
      for (const member of members) (states.get(member) as { onStack: boolean }).onStack = false;
      if (members.length > 1) found.push(members.sort());
    }
    return state;
  };
  for (const node of edges.keys()) if (!states.has(node)) visit(node);
  return found.sort();
}

/**
 * Circles of imports, types included: of files, and of the folders that stand in one row of `ORDER`.
 * That a file starts another as a worker or child process is no import of it.
 */
export function circles(files: readonly SourceFile[]): string[][] {
  const ofFiles = new Map<string, string[]>();
  const ofItems = new Map<string, string[]>();
  for (const file of files) {
    const targets = importsOf(file).flatMap(({ target, kind }) =>
      target === null || kind === "entry" ? [] : [target],
    );
    ofFiles.set(file.path, targets);
    const from = itemOf(file.path);
    if (from === undefined) continue;
    for (const target of targets) {
      const to = topFolder(target) === topFolder(file.path) ? itemOf(target) : undefined;
      if (to === undefined || to.row !== from.row || to.item === from.item) continue;
      const [name, next] = [from, to].map(({ item }) => `${topFolder(file.path)}/${item}`);
      ofItems.set(name as string, [...(ofItems.get(name as string) ?? []), next as string]);
    }
  }
  return [...circlesOf(ofFiles), ...circlesOf(ofItems)];
}
