/** A granted folder that another program swaps for a link, over and over, while a plugin works in it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPluginFiles } from "../../tools/plugins/files.ts";

const CANARY = "canary-5f2a91";
const RACE_MS = 2500;
let root = "";
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "chorale-swap-")));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Exchanges the folder `inside/work` and a link to `outside`, as fast as it can. */
const SWAPPER = `
  const { renameSync, symlinkSync } = require("node:fs");
  const [root] = process.argv.slice(1);
  const at = (name) => root + "/" + name;
  symlinkSync(at("outside"), at("inside/link"));
  process.stdout.write("swapping");
  for (;;) {
    renameSync(at("inside/work"), at("inside/away"));
    renameSync(at("inside/link"), at("inside/work"));
    renameSync(at("inside/work"), at("inside/link"));
    renameSync(at("inside/away"), at("inside/work"));
  }`;

test.runIf(process.platform === "linux")("shows and gets nothing of another folder", async () => {
  for (const name of ["inside", "inside/work", "outside"]) mkdirSync(join(root, name));
  writeFileSync(join(root, "inside/work/own.txt"), "own");
  writeFileSync(join(root, "outside/secret.txt"), CANARY);
  const swapper = spawn(process.execPath, ["-e", SWAPPER, root]);
  try {
    await once(swapper.stdout, "data");
    const inside = join(root, "inside");
    const files = createPluginFiles({ read: [inside], write: [inside] }, root);
    const work = join(inside, "work");
    const names = new Set<string>();
    const read = new Set<string>();
    let tries = 0;
    for (const end = performance.now() + RACE_MS; performance.now() < end; tries++) {
      const quiet = (): undefined => undefined;
      const listed = await files.list(work).catch(quiet);
      for (const { name } of listed ?? []) names.add(name.replace(/\d+/, "N"));
      await files.write(join(work, `new-${tries}.txt`), "new").catch(quiet);
      for (const name of ["own.txt", "secret.txt"]) {
        read.add((await files.read(join(work, name), "utf8").catch(quiet)) ?? "refused");
      }
    }
    expect(tries).toBeGreaterThan(20);
    expect([...names].sort()).toEqual(["new-N.txt", "own.txt"]);
    expect([...read].sort()).toEqual(["own", "refused"]);
    expect(readdirSync(join(root, "outside"))).toEqual(["secret.txt"]);
    expect(readFileSync(join(root, "outside/secret.txt"), "utf8")).toBe(CANARY);
  } finally {
    swapper.kill("SIGKILL");
    await once(swapper, "exit");
  }
});
