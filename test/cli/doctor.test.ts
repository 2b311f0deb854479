import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Check, nodeCheck, sandboxChecks } from "../../runtime/cli/doctor.ts";
import type { OsSandbox, SandboxLayer } from "../../tools/isolate/index.ts";
import { chorale } from "./chorale.ts";

let home = "";
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "chorale-doctor-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test("says what there is, as a document", async () => {
  const { code, stdout } = await chorale(["doctor", "--json"], { home });
  const { healthy, checks, sandbox } = JSON.parse(stdout);
  const names = checks.map(({ name }: Check) => name);
  expect(names).toEqual(expect.arrayContaining(["node", "kernels", "threads", "memory"]));
  expect(names).toEqual(
    expect.arrayContaining(["state folder", "python snapshot", "python packages"]),
  );
  expect(names).toEqual(
    expect.arrayContaining(
      ["isolate", "network", "unix sockets", "signals"].map((name) => `sandbox: ${name}`),
    ),
  );
  const { layers, osSandbox } = sandbox;
  expect(layers.every((layer: SandboxLayer) => typeof layer.enforced === "boolean")).toBe(true);
  const byKind = {
    bubblewrap: [],
    namespaces: [],
    "network-namespace": ["unix sockets"],
    limits: ["network", "unix sockets", "signals"],
    none: ["network", "unix sockets", "signals"],
  };
  const open = layers.filter(({ enforced }: SandboxLayer) => !enforced);
  expect(open.map(({ name }: SandboxLayer) => name)).toEqual(byKind[osSandbox as OsSandbox]);
  expect(healthy).toBe(checks.every(({ status }: Check) => status !== "problem"));
  expect(code).toBe(healthy ? 0 : 1);
  expect(healthy || !sandbox.available).toBe(true);
});

test("a state folder that cannot be used is a problem, and the status says so", async () => {
  const { code, stdout } = await chorale(["doctor"], { home: "/proc/nowhere" });
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^problem +state folder +The state folder \/proc\/nowhere cannot be used/m,
  );
});

test("an old Node is a problem; a layer that is not needed is not", () => {
  expect(nodeCheck("22.3.0").status).toBe("problem");
  expect(nodeCheck("24.0.0").status).toBe("ok");
  const layer = (name: string, enforced: boolean) => ({ name, enforced, detail: "Said." });
  const layers = [layer("isolate", false), layer("network", false), layer("writing", true)];
  expect(
    sandboxChecks({ available: false, isolatedVm: null, osSandbox: "limits", layers }),
  ).toEqual([
    { name: "sandbox: isolate", status: "problem", detail: "Said." },
    { name: "sandbox: network", status: "note", detail: "Said." },
    { name: "sandbox: writing", status: "ok", detail: "Said." },
  ]);
});
