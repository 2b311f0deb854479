/** Things that an attack would find, write, or ring, if it got out. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Canaries = {
  /** Holds everything; to be removed at the end. */
  readonly folder: string;
  /** For the interpreter's snapshot: shared by all sessions of a run. */
  readonly cacheDir: string;
  /** Puts the folder and the port into an attack's code. */
  fill(code: string): string;
  /** Forgets what has happened so far. */
  reset(): void;
  /**
   * What has been reached since, by the names of the corpus.
   * @param results  everything that cells gave back
   */
  reached(results: readonly string[]): readonly string[];
  remove(): Promise<void>;
};

const ENVIRONMENT = "SANDBOX_CANARY_ENV";
/** Made by an attack that runs `echo` with the sum on the host; the corpus has no other. */
const EXECUTED = "SECRET-EXEC-42";

export async function plantCanaries(): Promise<Canaries> {
  const folder = mkdtempSync(join(tmpdir(), "chorale-canaries-"));
  const target = join(folder, "canary");
  const cacheDir = join(folder, "cache");
  mkdirSync(target);
  mkdirSync(cacheDir);
  const fileSecret = `SECRET-FILE-${randomBytes(16).toString("hex")}`;
  const environmentSecret = `SECRET-ENV-${randomBytes(16).toString("hex")}`;
  writeFileSync(join(target, "secret.txt"), `${fileSecret}\n`);
  process.env[ENVIRONMENT] = environmentSecret;

  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on("error", () => undefined);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;

  let signals = 0;
  const onSignal = (): void => void signals++;
  process.on("SIGUSR2", onSignal);

  const files = (): string => readdirSync(target, { recursive: true }).sort().join("\n");
  let filesBefore = files();
  return {
    folder,
    cacheDir,
    fill: (code) =>
      code.replaceAll("{{CANARY_DIR}}", target).replaceAll("{{CANARY_PORT}}", String(port)),
    reset() {
      connections = 0;
      signals = 0;
      filesBefore = files();
    },
    reached(results) {
      const all = results.join("\n");
      const found = {
        LEAK_ENV: all.includes(environmentSecret),
        LEAK_FILE: all.includes(fileSecret) || /^root:[^:]*:0:0:/m.test(all),
        WRITE: files() !== filesBefore,
        EXEC: all.includes(EXECUTED),
        NET: connections > 0,
        SIGNAL: signals > 0,
      };
      return Object.entries(found).flatMap(([name, is]) => (is ? [name] : []));
    },
    async remove() {
      process.off("SIGUSR2", onSignal);
      delete process.env[ENVIRONMENT];
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
