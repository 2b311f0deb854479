/**
 * A real Postgres for a test: a server of its own in a temporary folder, which is gone with the test's process however
 * that ends. `CHORALE_TEST_POSTGRES` names another one: the folder of its programs (`/usr/lib/postgresql/15/bin`), or
 * the URL of a server that runs, whose user may create databases.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { programsFor, type ServerUser, serverUser } from "./binaries.ts";

/** How a server ends: after it has written all, at once, or killed as by a lack of memory. */
export type Halt = "orderly" | "immediate" | "killed";

export type TestPostgres = AsyncDisposable & {
  /** The database of the server's owner. */
  readonly url: string;
  /** Whether the server is the test's own, so that it can be halted. */
  readonly isOwn: boolean;
  /** @returns the URL of an empty database */
  newDatabase(): Promise<string>;
  halt(how?: Halt): Promise<void>;
  /** Starts a halted server again: the same port, the same data. */
  resume(): Promise<void>;
  /** Halts and resumes. */
  restart(how?: Halt): Promise<void>;
  /** Ends the server and removes its folder, or the databases that were made on a server that runs on. */
  stop(): Promise<void>;
};

export type PostgresOptions = {
  /**
   * What is committed is on the disk, as in an ordinary server. Default false, which is faster: it outlives the
   * server, however that ends, but not a power failure.
   */
  readonly isDurable?: boolean;
  /** In PEM; the server then also speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Addresses that may connect beside this machine's, such as 10.0.0.0/8. */
  readonly networks?: readonly string[];
  /** Further settings, such as `max_connections`. */
  readonly settings?: Readonly<Record<string, string | number>>;
};

const READY_MS = 30_000;
const SIGNALS = { orderly: "SIGINT", immediate: "SIGQUIT", killed: "SIGKILL" } as const;
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  shared_buffers: "16MB",
  // Files in the folder, so that nothing is left in /dev/shm by a server that was killed.
  dynamic_shared_memory_type: "mmap",
  logging_collector: "off",
};
const NOT_DURABLE = { fsync: "off", full_page_writes: "off" };

export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const given = process.env["CHORALE_TEST_POSTGRES"];
  if (given?.startsWith("postgres")) return new RunningServer(given);
  return await OwnServer.start(given || undefined, options);
}

/** Runs one statement on a connection of its own. */
async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

const newName = (): string => `chorale_test_${randomUUID().replaceAll("-", "")}`;

function onDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** The server of `CHORALE_TEST_POSTGRES`, which the test does not start or end. */
class RunningServer implements TestPostgres {
  readonly url: string;
  readonly isOwn = false;
  readonly #databases: string[] = [];

  constructor(url: string) {
    this.url = url;
  }

  async newDatabase(): Promise<string> {
    const name = newName();
    await execute(this.url, `CREATE DATABASE ${name}`);
    this.#databases.push(name);
    return onDatabase(this.url, name);
  }

  async halt(): Promise<void> {
    throw new Error("the server of CHORALE_TEST_POSTGRES is not this test's to halt");
  }

  resume(): Promise<void> {
    return this.halt();
  }

  restart(): Promise<void> {
    return this.halt();
  }

  async stop(): Promise<void> {
    for (const name of this.#databases.splice(0)) {
      await execute(this.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** A server of this process. */
class OwnServer implements TestPostgres {
  readonly url: string;
  readonly isOwn = true;
  readonly #folder: string;
  readonly #bin: string;
  readonly #user: ServerUser;
  readonly #arguments: readonly string[];
  readonly #watchdog: ChildProcess;
  #server: ChildProcess | undefined;

  private constructor(
    folder: string,
    bin: string,
    user: ServerUser,
    settings: Readonly<Record<string, string | number>>,
    url: string,
  ) {
    this.#folder = folder;
    this.#bin = bin;
    this.#user = user;
    this.url = url;
    this.#arguments = Object.entries({ ...settings, port: new URL(url).port }).flatMap(
      ([name, value]) => ["-c", `${name}=${value}`],
    );
    const watchdog = fileURLToPath(new URL("./watchdog.ts", import.meta.url));
    this.#watchdog = spawn(process.execPath, [watchdog, folder], {
      // A session of its own: Ctrl-C ends the test, and then this.
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
  }

  static async start(given: string | undefined, options: PostgresOptions): Promise<OwnServer> {
    const user = serverUser();
    const folder = mkdtempSync(join(tmpdir(), "chorale-postgres-"));
    let server: OwnServer | undefined;
    try {
      if (user.uid !== undefined && user.gid !== undefined) {
        chmodSync(folder, 0o755);
        chownSync(folder, user.uid, user.gid);
      }
      const bin = programsFor(given, user, folder);
      const password = randomBytes(16).toString("hex");
      const url = `postgresql://chorale:${password}@127.0.0.1:${await freePort()}/postgres`;
      const { isDurable = false, tls, settings = {} } = options;
      const all = {
        ...SETTINGS,
        ...(isDurable ? {} : NOT_DURABLE),
        ...(tls && {
          ssl: "on",
          ssl_cert_file: ownFile(join(folder, "cert.pem"), tls.cert, user),
          ssl_key_file: ownFile(join(folder, "key.pem"), tls.key, user),
        }),
        ...settings,
      };
      server = new OwnServer(folder, bin, user, all, url);
      await server.#initialise(password);
      for (const network of options.networks ?? []) {
        appendFileSync(
          join(server.#data, "pg_hba.conf"),
          `host all all ${network} scram-sha-256\n`,
        );
      }
      await server.resume();
      return server;
    } catch (error) {
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async newDatabase(): Promise<string> {
    const name = newName();
    await execute(this.url, `CREATE DATABASE ${name}`);
    return onDatabase(this.url, name);
  }

  async halt(how: Halt = "orderly"): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill(SIGNALS[how]);
    await ended;
    this.#watch(0);
  }

  async resume(): Promise<void> {
    const until = Date.now() + READY_MS;
    // The processes of a server that was killed end a moment later, and hinder a new one until then.
    while (!(await this.#run())) {
      if (Date.now() > until) throw new Error(`Postgres does not start: ${this.#log()}`);
      await wait(50);
    }
  }

  async restart(how: Halt = "orderly"): Promise<void> {
    await this.halt(how);
    await this.resume();
  }

  async stop(): Promise<void> {
    if (this.#watchdog.exitCode !== null) return;
    const ended = once(this.#watchdog, "exit");
    this.#watchdog.stdin?.end();
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #initialise(password: string): Promise<void> {
    const passwordFile = ownFile(join(this.#folder, "password"), password, this.#user);
    const child = this.#spawn("initdb", [
      ...["--pgdata", this.#data, "--username", "chorale", "--pwfile", passwordFile],
      ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"],
    ]);
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`initdb of ${this.#bin} failed: ${this.#log()}`);
  }

  /** @returns whether the server runs and takes connections */
  async #run(): Promise<boolean> {
    const child = this.#spawn("postgres", ["-D", this.#data, ...this.#arguments]);
    const until = Date.now() + READY_MS;
    while (child.exitCode === null && child.signalCode === null && Date.now() < until) {
      if (this.#isReady(child)) {
        this.#server = child;
        return true;
      }
      await wait(10);
    }
    child.kill("SIGKILL");
    return false;
  }

  /** Postgres writes its state into the last line of this file. */
  #isReady(child: ChildProcess): boolean {
    const file = join(this.#data, "postmaster.pid");
    if (!existsSync(file)) return false;
    const lines = readFileSync(file, "utf8").split("\n");
    return Number(lines[0]) === child.pid && lines[7]?.trim() === "ready";
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  #log(): string {
    return readFileSync(join(this.#folder, "log"), "utf8").slice(-2_000);
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.#folder, "log"), "a");
    const child = spawn(join(this.#bin, program), args, {
      ...this.#user,
      cwd: this.#folder,
      env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#watch(child.pid ?? 0);
    return child;
  }

  #watch(pid: number): void {
    this.#watchdog.stdin?.write(`${pid}\n`);
  }
}

/** Writes a file that only the server can read. @returns its path */
function ownFile(path: string, text: string, { uid, gid }: ServerUser): string {
  writeFileSync(path, text, { mode: 0o600 });
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  return path;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
