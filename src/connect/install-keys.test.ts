import { createPublicKey, generateKeyPairSync } from "node:crypto";

import { compactVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from "vitest";

import { AppError } from "../errors.js";
import { silentLogger } from "../logger.js";
import { TestClock } from "./clock.fixture.js";
import { mintRs256 } from "./connect-jwt.fixture.js";
import { InstallKeys } from "./install-keys.js";
import {
  createRsaKeyPair,
  keyFile,
  startKeyServer,
  type KeyAnswer,
  type KeyServer,
} from "./key-server.fixture.js";

const KID = "4a6f7d1c-0b3e-4c55-9f1e-6a2b7c8d9e0f";
const HOUR = 60 * 60;
const keyPair = createRsaKeyPair();
const PUBLISHED = keyFile(keyPair.publicPem);
const OUTAGE: KeyAnswer = { status: 503 };

let clock: TestClock;
let first: KeyServer;
let second: KeyServer;
let keys: InstallKeys;

beforeEach(async () => {
  clock = new TestClock();
  [first, second] = await Promise.all([startKeyServer(), startKeyServer()]);
  keys = new InstallKeys({ clock, logger: silentLogger, cdnUrls: [first.url, second.url] });
});
afterEach(() => Promise.all([first.close(), second.close()]));

const CALLER = "203.0.113.7";

describe("fetching", () => {
  it("gives the key that the first server publishes, without asking the second", async () => {
    first.answers.set(KID, PUBLISHED);
    const token = mintRs256({}, keyPair.privateKey);
    await expect(compactVerify(token, await keys.getKey(KID, CALLER))).resolves.toBeDefined();
    expect(second.asked).toEqual([]);
  });

  it.each<[string, KeyAnswer]>([
    ["doesn't have it", { status: 404 }],
    ["is in trouble", OUTAGE],
    ["redirects", { status: 302 }],
    ["answers with a web page", keyFile("<html>Sign in to the network</html>")],
    ["answers with a private key", keyFile(privatePem())],
    ["answers with too much", keyFile(keyPair.publicPem + "\n".repeat(64 * 1024))],
    ["publishes a key so long that it would take long to use", keyFile(longPem())],
    ["publishes a weak key", keyFile(createRsaKeyPair(1024).publicPem)],
  ])("asks the second server when the first %s", async (_name, answer) => {
    first.answers.set(KID, answer);
    second.answers.set(KID, PUBLISHED);
    await expect(keys.getKey(KID, CALLER)).resolves.toBeDefined();
    expect([first.asked, second.asked]).toEqual([[KID], [KID]]);
  });

  it.each<[string, KeyAnswer | null, KeyAnswer | null, string]>([
    ["both don't have it", null, null, "connect_jwt_invalid"],
    ["one is in trouble", null, OUTAGE, "keys_unavailable"],
    ["the other is in trouble", OUTAGE, null, "keys_unavailable"],
    ["one forbids", { status: 403 }, null, "keys_unavailable"],
    ["one redirects", { status: 301 }, null, "keys_unavailable"],
    ["one answers with a web page", keyFile("<html>"), null, "keys_unavailable"],
    ["it is a private key", keyFile(privatePem()), null, "keys_unavailable"],
    ["it is an RSA key of 1024 bits", keyFile(createRsaKeyPair(1024).publicPem), null, "connect_jwt_invalid"],
    ["it is an elliptic curve key", keyFile(ellipticPem()), null, "connect_jwt_invalid"],
    ["it is a key for RSA-PSS only", keyFile(pssPem()), null, "connect_jwt_invalid"],
    ["one forbids, whatever it adds", { ...PUBLISHED, status: 403 }, null, "keys_unavailable"],
  ])("refuses when %s", async (_name, answer, otherAnswer, code) => {
    if (answer) first.answers.set(KID, answer);
    if (otherAnswer) second.answers.set(KID, otherAnswer);
    expect(await codeOf(keys.getKey(KID, CALLER))).toBe(code);
  });

  it("refuses when no server can be reached", async () => {
    await Promise.all([first.close(), second.close()]);
    expect(await codeOf(keys.getKey(KID, CALLER))).toBe("keys_unavailable");
  });

  it("accepts a kid with slashes", async () => {
    first.answers.set("connect/2026/key.v1~a", PUBLISHED);
    await expect(keys.getKey("connect/2026/key.v1~a", CALLER)).resolves.toBeDefined();
  });

  it.each([
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/../b",
    "../a",
    "a/..",
    "./a",
    "a?b",
    "a#b",
    "a%2e",
    "a\\b",
    "a b",
    "a\n",
    "é",
    "a@b",
    "https://evil.example/key",
    "x".repeat(201),
  ])("refuses the kid %j without asking", async (kid) => {
    expect(await codeOf(keys.getKey(kid, CALLER))).toBe("connect_jwt_invalid");
    expect(first.asked).toEqual([]);
  });
});

describe("remembering", () => {
  it("asks once for callers who come together", async () => {
    first.answers.set(KID, PUBLISHED);
    const [one, other] = await Promise.all([keys.getKey(KID, CALLER), keys.getKey(KID, CALLER)]);
    expect(one).toBe(other);
    expect(first.asked).toEqual([KID]);
  });

  it("keeps a key for an hour", async () => {
    first.answers.set(KID, PUBLISHED);
    await keys.getKey(KID, CALLER);
    clock.advanceSeconds(HOUR - 1);
    await keys.getKey(KID, CALLER);
    expect(first.asked).toHaveLength(1);
    clock.advanceSeconds(1);
    await keys.getKey(KID, CALLER);
    expect(first.asked).toHaveLength(2);
  });

  it("uses a key it has had for up to a day while the servers are down, trying again once a minute", async () => {
    first.answers.set(KID, PUBLISHED);
    await keys.getKey(KID, CALLER);
    first.outage = OUTAGE;
    second.outage = OUTAGE;
    clock.advanceSeconds(2 * HOUR);
    await keys.getKey(KID, CALLER);
    await keys.getKey(KID, CALLER);
    expect(first.asked).toHaveLength(2);
    clock.advanceSeconds(60);
    await keys.getKey(KID, CALLER);
    expect(first.asked).toHaveLength(3);
    clock.advanceSeconds(22 * HOUR);
    expect(await codeOf(keys.getKey(KID, CALLER))).toBe("keys_unavailable");
  });

  it("drops a key that was withdrawn", async () => {
    first.answers.set(KID, PUBLISHED);
    await keys.getKey(KID, CALLER);
    first.answers.delete(KID);
    clock.advanceSeconds(HOUR);
    expect(await codeOf(keys.getKey(KID, CALLER))).toBe("connect_jwt_invalid");
    expect(await codeOf(keys.getKey(KID, CALLER))).toBe("connect_jwt_invalid");
    expect(first.asked).toHaveLength(2);
    clock.advanceSeconds(61);
    first.outage = OUTAGE;
    expect(await codeOf(keys.getKey(KID, CALLER))).toBe("keys_unavailable");
  });

  it("remembers for a minute that a kid is unknown", async () => {
    await codeOf(keys.getKey(KID, CALLER));
    first.answers.set(KID, PUBLISHED);
    clock.advanceSeconds(60);
    expect(await codeOf(keys.getKey(KID, CALLER))).toBe("connect_jwt_invalid");
    clock.advanceSeconds(1);
    await expect(keys.getKey(KID, CALLER)).resolves.toBeDefined();
  });

  it("doesn't remember that the servers were down", async () => {
    first.outage = OUTAGE;
    await codeOf(keys.getKey(KID, CALLER));
    first.outage = null;
    first.answers.set(KID, PUBLISHED);
    await expect(keys.getKey(KID, CALLER)).resolves.toBeDefined();
  });

  it("lets one caller name 300 unknown kids a minute, while others and known kids keep working", async () => {
    first.answers.set(KID, PUBLISHED);
    await keys.getKey(KID, CALLER);
    const codes = await Promise.all(
      Array.from({ length: 400 }, (_, index) => codeOf(keys.getKey(`made-up-${index}`, "203.0.113.66"))),
    );
    expect(codes.filter((code) => code === "connect_jwt_invalid")).toHaveLength(300);
    expect(codes.filter((code) => code === "rate_limited")).toHaveLength(100);
    expect(first.asked).toHaveLength(301);
    await expect(keys.getKey(KID, "203.0.113.66")).resolves.toBeDefined();
    expect(await codeOf(keys.getKey("made-up-by-another", CALLER))).toBe("connect_jwt_invalid");
    clock.advanceSeconds(61);
    expect(await codeOf(keys.getKey("made-up-again", "203.0.113.66"))).toBe("connect_jwt_invalid");
  });
});

describe("limiting those who make up kids", () => {
  const addresses = (count: number) =>
    Array.from({ length: count }, (_, nth) => `198.51.${nth >> 8}.${nth & 255}`);
  let fetches: MockInstance<typeof fetch>;

  beforeEach(() => {
    keys = new InstallKeys({ clock, logger: silentLogger, cdnUrls: [first.url] });
    fetches = vi.spyOn(globalThis, "fetch").mockImplementation((url) => {
      const isKnown = url === `${first.url}/${KID}`;
      return Promise.resolve(new Response(isKnown ? keyPair.publicPem : "", { status: isKnown ? 200 : 404 }));
    });
  });
  afterEach(() => fetches.mockRestore());

  /** Each caller names so many kids, no two the same; says how many were looked up. */
  async function makeUpKids(callers: readonly string[], kidsOfEach: number): Promise<number> {
    const before = fetches.mock.calls.length;
    for (const caller of callers) {
      const kids = Array.from({ length: kidsOfEach }, (_, nth) => `${caller.replaceAll(":", "-")}/${nth}`);
      await Promise.all(kids.map((kid) => codeOf(keys.getKey(kid, caller))));
    }
    return fetches.mock.calls.length - before;
  }

  it("looks up 3000 a minute for all of them, and still finds the key of whoever comes new", async () => {
    expect(await makeUpKids(addresses(12), 300)).toBe(3000 + 2 * 3);
    expect(await codeOf(keys.getKey("one-more", "198.51.0.11"))).toBe("keys_unavailable");
    await expect(keys.getKey(KID, CALLER)).resolves.toBeDefined();
  });

  it("looks up 6000 a minute at most, however many callers there are", async () => {
    expect(await makeUpKids(addresses(2100), 4)).toBe(6000);
    clock.advanceSeconds(61);
    expect(await makeUpKids(["192.0.2.1"], 10)).toBe(10);
  });

  it.each([
    ["2001:db8:1::1", "2001:db8:1:ffff:1:2:3:4", true],
    ["2001:db8::1", "2001:db8:0:1::", true],
    ["2001:db8:1::1", "2001:db8:2::1", false],
    ["192.0.2.1", "192.0.2.2", false],
    ["::1", "::2", true],
  ])("takes %s and %s for one caller: %s", async (one, other, isOne) => {
    expect(await makeUpKids([one], 300)).toBe(300);
    expect(await makeUpKids([other], 2)).toBe(isOne ? 0 : 2);
  });

  it("tells nobody else of a caller's limit, though both name the same kid at the same moment", async () => {
    await makeUpKids(["192.0.2.1"], 300);
    const [flooder, honest] = await Promise.allSettled([
      keys.getKey(KID, "192.0.2.1"),
      keys.getKey(KID, CALLER),
    ]);
    expect(flooder).toMatchObject({ reason: { code: "rate_limited" } });
    expect(honest).toMatchObject({ status: "fulfilled" });
  });
});

async function codeOf(getting: Promise<unknown>): Promise<string> {
  const error = await getting.catch((thrown: unknown) => thrown);
  return error instanceof AppError ? error.code : expect.fail("There was no refusal.");
}

function privatePem(): string {
  return keyPair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** A modulus of 16,384 bits. */
function longPem(): string {
  const jwk = { kty: "RSA", e: "AQAB", n: Buffer.alloc(2048, 0xff).toString("base64url") };
  return createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" }).toString();
}

function pssPem(): string {
  const { publicKey } = generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
  return publicKey.export({ type: "spki", format: "pem" }).toString();
}

function ellipticPem(): string {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return publicKey.export({ type: "spki", format: "pem" }).toString();
}
