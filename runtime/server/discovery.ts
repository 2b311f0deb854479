/**
 * How programs of the same user find a server: a file for each, beside its socket, in a folder that only this user
 * may enter.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { ClientRequest } from "node:http";
import { tmpdir, userInfo } from "node:os";
import { isAbsolute, join } from "node:path";
import { homePath } from "../home.ts";
import { ServerError } from "./errors.ts";

/** What a server tells about itself. */
type ServerRecord = {
  readonly pid: number;
  readonly version: string;
  readonly url: string;
  readonly socketPath: string;
  /** The models that it was started with: as `--model` named them (null: the embedded one), and as it lists them. */
  readonly models: readonly { readonly given: string | null; readonly name: string }[];
  /** ISO 8601, UTC. */
  readonly startedAt: string;
};

/** Bytes of a path that the system takes for a socket. Source: unix(7). */
const MAX_SOCKET_PATH = 103;

/**
 * `$XDG_RUNTIME_DIR/chorale`, else `run` of the state folder, whether or not it exists; where a socket's path would
 * be too long, a folder of the temporary ones.
 */
function runtimeFolder(env: NodeJS.ProcessEnv): string {
  const runtime = env["XDG_RUNTIME_DIR"];
  const folder =
    runtime !== undefined && isAbsolute(runtime)
      ? join(runtime, "chorale")
      : join(homePath(env), "run");
  const longest = join(folder, "4294967295.sock");
  if (Buffer.byteLength(longest) <= MAX_SOCKET_PATH) return folder;
  return join(tmpdir(), `chorale-${userInfo().uid}`);
}

/** The socket of a server of this process. @throws ServerError where the folder is not this user's alone */
export function makeSocketPath(env: NodeJS.ProcessEnv): string {
  const folder = runtimeFolder(env);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const problem = folderProblem(folder);
  if (problem === null) return join(folder, `${process.pid}.sock`);
  throw new ServerError(
    "CHORALE_SERVER_CONFIGURATION",
    `The folder ${folder} ${problem}, so no socket is put there; accepted: a folder of this user that no other may enter.`,
  );
}

/** @returns removes it again */
export function announce(record: ServerRecord): () => void {
  const path = record.socketPath.replace(/\.sock$/, ".json");
  writeFileSync(path, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  return () => rmSync(path, { force: true });
}

/** The servers of this user that answer; files of others are passed over, those of ended ones removed. */
export async function findServers(env: NodeJS.ProcessEnv): Promise<readonly ServerRecord[]> {
  const folder = runtimeFolder(env);
  if (!existsSync(folder) || folderProblem(folder) !== null) return [];
  const names = readdirSync(folder).filter((name) => /^\d+\.json$/.test(name));
  const found = await Promise.all(names.map((name) => readRecord(join(folder, name))));
  return found.filter((record) => record !== null);
}

async function readRecord(path: string): Promise<ServerRecord | null> {
  try {
    if (!isOwn(path)) return null;
    const record = JSON.parse(readFileSync(path, "utf8")) as ServerRecord;
    const socketPath = path.replace(/\.json$/, ".sock");
    if (record.socketPath !== socketPath || !isOwn(socketPath)) return null;
    await askServer(socketPath, "GET", "/api/version");
    return record;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    // No server listens any more.
    if (code === "ECONNREFUSED" || code === "ENOENT") {
      rmSync(path, { force: true });
      rmSync(path.replace(/\.json$/, ".sock"), { force: true });
    }
    return null;
  }
}

/** Why a folder is no place for a socket; null: it is one. */
function folderProblem(folder: string): string | null {
  const stat = lstatSync(folder);
  if (!stat.isDirectory()) return "is no folder";
  if (stat.uid !== process.getuid?.()) return "is another user's";
  return (stat.mode & 0o077) === 0 ? null : "may be entered by others";
}

function isOwn(path: string): boolean {
  return lstatSync(path).uid === process.getuid?.();
}

/** Bytes of an answer that are read at most. */
const MAX_ANSWER = 4 << 20;
const TIMEOUT_MS = 5_000;

/**
 * Asks a server by its socket.
 * @throws ServerError for an answer that is an error; what connecting throws
 */
export function askServer(
  socketPath: string,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  // Not imported, since that takes time where there is no server.
  const { request } = process.getBuiltinModule("node:http");
  return ask(request({ socketPath, method, path, timeout: TIMEOUT_MS }), body);
}

/**
 * Asks a server by its address, as a client does.
 * @param url  `http://127.0.0.1:11434`, with what stands before the paths of the APIs
 * @param key  sent as a bearer token
 * @throws ServerError for an answer that is an error, with its status; what connecting throws
 */
export function askUrl(url: URL, path: string, key: string | undefined): Promise<unknown> {
  const target = new URL(url.pathname.replace(/\/$/, "") + path, url);
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const isTls = target.protocol === "https:";
  const { request: send } = process.getBuiltinModule(isTls ? "node:https" : "node:http");
  return ask(send(target, { headers, timeout: TIMEOUT_MS }));
}

function ask(asked: ClientRequest, body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    asked.on("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece: string) => {
        text += piece;
        if (text.length > MAX_ANSWER) answer.destroy(new Error("The answer is too long."));
      });
      answer.on("error", reject);
      answer.on("end", () => {
        try {
          if (answer.statusCode === 200) resolve(text === "" ? null : JSON.parse(text));
          else reject(refusal(text, answer.statusCode ?? 500));
        } catch (error) {
          reject(error);
        }
      });
    });
    asked.on("timeout", () => asked.destroy(new Error("The server does not answer.")));
    asked.on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function refusal(text: string, status: number): ServerError {
  return new ServerError("CHORALE_REQUEST", messageOf(text) ?? "The server refused.", { status });
}

/** Of the body of an error, which may be no JSON. */
function messageOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: string | { message?: string } };
    return typeof error === "string" ? error : error?.message;
  } catch {
    return undefined;
  }
}
