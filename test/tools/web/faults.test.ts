/** Servers that do what they should not. */
import { describe, expect, test } from "vitest";
import { codeOf, openTestClient, serveRaw } from "./loopback.ts";

const named = { purpose: "named by the user" } as const;

describe("a length that is wrong", () => {
  test("too short a body is no page", async () => {
    const site = await serveRaw((socket) =>
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234"),
    );
    const client = openTestClient([site.port]);
    expect(await codeOf(client.get(site.at("/"), named))).toBe("CHORALE_NET_INCOMPLETE");
  });
});
