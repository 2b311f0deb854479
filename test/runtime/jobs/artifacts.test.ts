/** Files of jobs in a folder and in storage; their names come from a model. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openArtifacts, removeArtifacts } from "../../../runtime/jobs/artifacts.ts";
import { S3Server, signatureOf } from "../../fixtures/s3-server.ts";
import { temporaryFolder } from "../../tools/support.ts";

const KEYS = { id: "AKIDEXAMPLE", secret: "a+secret/key", region: "eu-west-3" };
const ENV = { AWS_ACCESS_KEY_ID: KEYS.id, AWS_SECRET_ACCESS_KEY: KEYS.secret };
const OWNER = { jobId: "job_1", hold: 2 };

/** Names that lead out of a folder, or have a meaning somewhere. */
const names = fc.oneof(
  fc.constantFrom(
    ...[
      "..",
      ".",
      "../../etc/passwd",
      "/abs",
      "a/../../b",
      "-rf",
      ".ssh",
      "con",
      "a\0b",
      "\u202egnp.exe",
    ],
    ...[
      "%2e%2e",
      "a+b c",
      "100%",
      "naïve café.png",
      "東京.csv",
      "a?b#c&d=e",
      "'q'!()*",
      "x".repeat(400),
    ],
  ),
  fc.string({ unit: "grapheme", maxLength: 30 }),
);

/** A file of any name, where the system can have it. */
function fileNamed(folder: string, name: string, text: string): string | null {
  const path = join(folder, basename(name));
  if (relative(folder, path) !== basename(name) || basename(name) === "") return null;
  try {
    writeFileSync(path, text);
    return path;
  } catch {
    return null;
  }
}

describe("a folder", () => {
  test("gets each file below the folder of its job, also one with a hostile name", async () => {
    const [from, to] = [temporaryFolder(), temporaryFolder()];
    await using store = await openArtifacts(join(to, "artifacts"), {});
    await fc.assert(
      fc.asyncProperty(names, names, async (name, jobId) => {
        const path = fileNamed(from, name, name);
        if (path === null) return;
        const [saved] = await store.save({ jobId, hold: 1 }, [path]);
        const kept = fileURLToPath(saved?.url ?? "");
        expect(relative(join(to, "artifacts"), kept).split("/")).toEqual([
          expect.not.stringMatching(/^\.+$/),
          "1",
          saved?.name,
        ]);
        expect(readFileSync(kept, "utf8")).toBe(name);
        rmSync(path);
      }),
      { numRuns: 60 },
    );
  });

  test("replaces a file of the same hold, keeps those of others, and removes only its own", async () => {
    const [from, to] = [temporaryFolder(), temporaryFolder()];
    const path = fileNamed(from, "plot.png", "one") ?? "";
    await using store = await openArtifacts(to, {});
    const [first] = await store.save(OWNER, [path]);
    writeFileSync(path, "two");
    const [again] = await store.save(OWNER, [path]);
    const [other] = await store.save({ ...OWNER, hold: 3 }, [path]);
    expect(again).toEqual(first);
    expect(other?.url).not.toBe(first?.url);
    expect(readFileSync(fileURLToPath(first?.url ?? ""), "utf8")).toBe("two");
    const outside = join(from, "outside");
    writeFileSync(outside, "stays");
    for (const url of [`file://${outside}`, `file://${to}/job_2/2/plot.png`, `file://${to}/x`]) {
      await expect(removeArtifacts("job_1", [{ name: "x", url, bytes: 1 }], {})).rejects.toThrow(
        /^Cannot remove the file x of job job_1: its address .* is none of the job job_1\.$/,
      );
    }
    expect(readFileSync(outside, "utf8")).toBe("stays");
    const all = [first, first, other].flatMap((one) => one ?? []);
    await removeArtifacts("job_1", all, {});
    expect(() => readFileSync(join(to, "job_1"))).toThrow("ENOENT");
  });

  test("refuses links and folders, and says what it could not keep", async () => {
    const [from, to] = [temporaryFolder(), temporaryFolder()];
    symlinkSync("/etc/passwd", join(from, "link"));
    mkdirSync(join(from, "folder"));
    await using store = await openArtifacts(to, {});
    for (const name of ["link", "folder"]) {
      await expect(store.save(OWNER, [join(from, name)])).rejects.toThrow(
        `Cannot keep the file ${name} of job job_1 in ${to}: it is no regular file.`,
      );
    }
    await expect(store.save(OWNER, [join(from, "none")])).rejects.toMatchObject({
      code: "CHORALE_JOB_ARTIFACTS",
    });
  });
});

describe("storage", () => {
  test("is checked by a server that knows the signatures of the documentation of S3", () => {
    const common = {
      secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      scope: "20130524/us-east-1/s3/aws4_request",
    };
    const host = "examplebucket.s3.amazonaws.com";
    const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    expect(
      signatureOf({
        ...common,
        method: "GET",
        target: "/test.txt",
        headers: {
          host,
          range: "bytes=0-9",
          "x-amz-content-sha256": empty,
          "x-amz-date": "20130524T000000Z",
        },
        signedHeaders: ["host", "range", "x-amz-content-sha256", "x-amz-date"],
        contentHash: empty,
      }),
    ).toBe("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  });

  test("gets signed files under its prefix, also with hostile names", async () => {
    await using server = await S3Server.start(KEYS);
    const from = temporaryFolder();
    const where = `s3://my-bucket/a+b/é?endpoint=${server.endpoint}&region=${KEYS.region}`;
    const env = { ...ENV, AWS_SESSION_TOKEN: "token" };
    await using store = await openArtifacts(where, env);
    const prefix = "my-bucket/a%2Bb/%C3%A9/";
    await fc.assert(
      fc.asyncProperty(names, names, async (name, jobId) => {
        const path = fileNamed(from, name, name);
        if (path === null) return;
        server.objects.clear();
        const saved = await store.save({ jobId, hold: 7 }, [path]);
        const [key = "", ...more] = server.objects.keys();
        expect(more).toEqual([]);
        expect(key.startsWith(prefix)).toBe(true);
        expect(key.slice(prefix.length).split("/")).toHaveLength(3);
        expect(saved[0]?.url).toBe(`s3://${key}${new URL(where).search}`);
        expect(server.objects.get(key)?.toString()).toBe(name);
        await removeArtifacts(jobId, saved, env);
        expect(server.objects.size).toBe(0);
        rmSync(path);
      }),
      { numRuns: 60 },
    );
    expect(new Set(server.tokens)).toEqual(new Set(["token"]));
    server.objects.set("my-bucket/other/job_1/2/x", Buffer.from("stays"));
    for (const way of [
      "../../job_1/2/x",
      "..%2f..%2fother/job_1/2/x",
      "%2e%2e/job_1/2/x",
      "other",
    ]) {
      const url = `s3://${prefix}${way}${new URL(where).search}`;
      await expect(removeArtifacts("job_1", [{ name: "x", url, bytes: 1 }], env)).rejects.toThrow(
        /none of the job|leads to another place|prefix with the parts/,
      );
    }
    expect(server.objects.size).toBe(1);
  });

  test("that fails for a moment is asked again; one that refuses is quoted, without a key", async () => {
    await using server = await S3Server.start(KEYS);
    const path = fileNamed(temporaryFolder(), "a.txt", "a") ?? "";
    const where = `s3://bucket?endpoint=${server.endpoint}&region=${KEYS.region}`;
    await using store = await openArtifacts(where, ENV);
    server.failures.push(503, 429);
    const [saved] = await store.save(OWNER, [path]);
    const url = `s3://bucket/job_1/2/a.txt${new URL(where).search}`;
    expect(saved).toEqual({ name: "a.txt", url, bytes: 1 });
    const wrong = { ...ENV, AWS_SECRET_ACCESS_KEY: "another-secret" };
    await using refused = await openArtifacts(where, wrong);
    const failed = await refused.save(OWNER, [path]).catch((error: unknown) => error);
    expect(String(failed)).toBe(
      "JobsError: Cannot keep the file a.txt of job job_1 in s3://bucket: " +
        "the storage answered 403 (SignatureDoesNotMatch, No.).",
    );
    expect(String((failed as Error).cause)).not.toContain("secret");
  });

  test.each<[string, Record<string, string>, string]>([
    ["s3://b?x", ENV, "names no bucket"],
    ["s3://bucket/p?endpoint=http://h&acl=public", ENV, 'has the parameter "acl"'],
    ["s3://key:secret@bucket/p", ENV, "has a user name or password"],
    ["s3://bucket?endpoint=ftp://h", ENV, "has no endpoint that is a URL"],
    ["s3://bucket?endpoint=http://key:secret@h", ENV, "has no endpoint that is a URL"],
    ["s3://bucket/%2e%2e%2fp", ENV, "has a prefix with the parts . or .."],
    ["s3://bucket?region=../x", ENV, "has no region"],
    ["s3://bucket", {}, "has no AWS_ACCESS_KEY_ID and no AWS_SECRET_ACCESS_KEY"],
    ["https://bucket.s3.amazonaws.com", ENV, "cannot be kept at https://"],
    [" ", ENV, "is empty"],
  ])("%s is refused in a sentence", async (where, env, sentence) => {
    const failed = await openArtifacts(where, env).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "CHORALE_USAGE", option: "artifacts" });
    expect(String(failed)).toContain(sentence);
    expect(String(failed)).not.toContain("secret@");
  });
});
