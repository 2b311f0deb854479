/** Names with several addresses, of which some do not answer. */
import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { AddressRefusedError } from "../../../tools/net/errors.ts";
import { firstConnected } from "../../../tools/net/first-connected.ts";
import { createAuthority } from "./certificates.ts";
import { listen, openTestClient, text } from "./loopback.ts";

/** Stands for a connection; says whether it was closed. */
const socketOf = (closed: string[], name: string): Socket =>
  ({ destroy: () => closed.push(name) }) as unknown as Socket;

describe("the first address that answers is connected to", () => {
  test("in their order, the next where one fails", async () => {
    const tried: string[] = [];
    const socket = await firstConnected(["a", "b", "c"], async (address) => {
      tried.push(address);
      if (address === "a") throw new Error("a does not answer");
      return socketOf([], address);
    });
    expect([tried, socket]).toEqual([["a", "b"], expect.anything()]);
  });

  test("and none where all fail, or one is refused", async () => {
    const tried: string[] = [];
    const failing = firstConnected(["a", "b"], async (address) => {
      tried.push(address);
      throw new Error(`${address} does not answer`);
    });
    await expect(failing).rejects.toThrow("b does not answer");
    const refused = firstConnected(["c", "d"], async (address) => {
      tried.push(address);
      throw new AddressRefusedError("x.test", address, "loopback");
    });
    await expect(refused).rejects.toThrow(AddressRefusedError);
    expect(tried).toEqual(["a", "b", "c"]);
  });

  test("one that does not answer holds up the next for a moment, and is closed when it comes late", async () => {
    const closed: string[] = [];
    const late = Promise.withResolvers<Socket>();
    const socket = await firstConnected(["silent", "good"], (address) =>
      address === "silent" ? late.promise : Promise.resolve(socketOf(closed, address)),
    );
    expect(socket).toBeDefined();
    late.resolve(socketOf(closed, "silent"));
    await late.promise;
    await Promise.resolve();
    expect(closed).toEqual(["silent"]);
  });

  test("a page comes from there", async (context) => {
    const authority = await createAuthority();
    const certificate = await authority.issue("site.test");
    const good = createSecureServer(certificate, (_, response) => response.end("page"));
    const port = await listen(good);
    try {
      // Takes connections, and never says a word.
      await listen(
        createTcpServer(() => {}),
        "::1",
        port,
      );
    } catch {
      context.skip("there is no IPv6 on this machine");
    }
    const client = openTestClient([port], {
      resolve: async () => ["::1", "127.0.0.1"],
      ca: authority.certificate,
      // Less than one connection may take.
      timeouts: { totalMs: 8_000 },
    });
    const page = await client.get(`https://site.test:${port}/`, { purpose: "named by the user" });
    expect(text(page.bytes)).toBe("page");
  });
});
