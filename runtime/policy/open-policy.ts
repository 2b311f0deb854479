/**
 * The policy of the command line: the file that was named, else that of the configuration folder and, where the
 * user trusts it, that of the project. Of two files the stricter word counts, as among the rules of one.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { PolicyDocument } from "./check-rules.ts";
import { PolicyError } from "./errors.ts";
import { FilePolicyStore } from "./file-store.ts";
import type { Policy } from "./policy.ts";
import { parsePolicy, readPolicyFile, readPolicyText } from "./policy-file.ts";
import { createPolicy } from "./rule-policy.ts";
import type { Otherwise, PolicyRule } from "./rules.ts";
import type { PolicyStore } from "./store.ts";

export type PolicyPlaces = {
  /** The state folder. */
  readonly state: string;
  /** The configuration folder. */
  readonly configuration: string;
  /** A file that takes the place of all others. */
  readonly file?: string | undefined;
  /** The folder of the run. Default: the current one. */
  readonly folder?: string | undefined;
};

export type PolicyFile = {
  readonly path: string;
  readonly from: "named" | "configuration" | "project";
  /** false: the user has not said that the file of this project may count, or it has changed since. */
  readonly isTrusted: boolean;
};

export type OpenedPolicy = {
  readonly policy: Policy;
  readonly document: PolicyDocument;
  readonly files: readonly PolicyFile[];
  readonly store: PolicyStore;
};

/** Of a project, in its folder. */
const PROJECT_FOLDER = ".chorale";
const NAMES: readonly string[] = ["policy.json", "policy.yaml", "policy.yml"];
const STRICTEST_FIRST: readonly Otherwise[] = ["deny", "ask", "default", "allow"];

/**
 * @throws PolicyError for a file that is no policy; a file of a project that is not trusted is not read
 */
export async function openPolicy(places: PolicyPlaces): Promise<OpenedPolicy> {
  const folder = resolve(places.folder ?? ".");
  const store = policyStore(places.state);
  const files = await findFiles(places, folder, store);
  const documents: PolicyDocument[] = [];
  for (const { path, from, isTrusted } of files) {
    if (!isTrusted) continue;
    const document = await readPolicyFile(path);
    documents.push({ ...document, rules: named(document.rules, path, from) });
  }
  const document = {
    rules: documents.flatMap(({ rules }) => rules),
    otherwise:
      STRICTEST_FIRST.find((word) => documents.some(({ otherwise }) => otherwise === word)) ??
      "default",
  };
  const policy = await createPolicy({ ...document, store, folder });
  return { policy, document, files, store };
}

/** Answers and trusted tools of the command line. */
export function policyStore(state: string): FilePolicyStore {
  return new FilePolicyStore(join(state, "policy"));
}

/** The policy of a project; null: it has none. @throws PolicyError when it has two */
export function projectPolicyPath(folder: string): string | null {
  return policyIn(join(folder, PROJECT_FOLDER));
}

async function findFiles(
  { file, configuration }: PolicyPlaces,
  folder: string,
  store: FilePolicyStore,
): Promise<readonly PolicyFile[]> {
  if (file !== undefined) return [{ path: file, from: "named", isTrusted: true }];
  const own = policyIn(configuration);
  const project = projectPolicyPath(folder);
  return [
    ...(own === null ? [] : [{ path: own, from: "configuration", isTrusted: true } as const]),
    ...(project === null
      ? []
      : [
          {
            path: project,
            from: "project",
            isTrusted: await isTrusted(project, store),
          } as const,
        ]),
  ];
}

async function isTrusted(path: string, store: FilePolicyStore): Promise<boolean> {
  try {
    return await store.isTrustedFile(path, await readFile(path));
  } catch {
    return false;
  }
}

/** Trusts the policy of a project as it is now. @throws PolicyError, PolicyStoreError */
export async function trustPolicyFile(path: string, state: string): Promise<PolicyDocument> {
  const { text, bytes } = await readPolicyText(path);
  const document = await parsePolicy(text, path);
  await policyStore(state).trustFile(path, bytes);
  return document;
}

function policyIn(folder: string): string | null {
  const found = NAMES.map((name) => join(folder, name)).filter((path) => existsSync(path));
  const [first, second] = found;
  if (second !== undefined && first !== undefined) {
    throw new PolicyError(`${basename(first)} stands beside it; keep one of them.`, {
      file: second,
    });
  }
  return first ?? null;
}

/** Rules of several files in one list: each with a name of its own. */
function named(
  rules: readonly PolicyRule[],
  path: string,
  from: PolicyFile["from"],
): readonly PolicyRule[] {
  return rules.map((rule, at) => {
    if (rule.name === undefined) {
      const place = from === "project" ? `${PROJECT_FOLDER}/${basename(path)}` : basename(path);
      return { ...rule, name: `${place} rule ${at + 1}` };
    }
    return from === "project" ? { ...rule, name: `project: ${rule.name}` } : rule;
  });
}
