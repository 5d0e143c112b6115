import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { ATLASSIAN_INSTALL_KEYS_URLS } from "../src/config/config.js";
import { FETCH_TIMEOUT_SECONDS, RENEWAL_TIMEOUT_SECONDS } from "../src/connect/install-keys.js";
import { senderOf, TenantsWorld, travel } from "./lifecycle.fixture.js";
import {
  answerOf,
  crowd,
  good,
  hold,
  KeyServer,
  laterBy,
  outages,
  SLACK_SECONDS,
  startTrap,
  type Crowd,
  type OutageRow,
  type Trap,
} from "./outages.fixture.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Every row sends the one tenant's events. */
const MANY_EVENTS = { lifecycle: { calls: 10_000, perSeconds: MINUTE } };

/** One app with one tenant, and key servers that have the same key under every kid. */
class InstallKeysStage {
  readonly stage: TenantsWorld;
  readonly keys: KeyServer;
  /** Asked after the other; by an app that has the two servers of Atlassian's. */
  readonly second: KeyServer;

  private constructor(stage: TenantsWorld, keys: KeyServer, second: KeyServer) {
    this.stage = stage;
    this.keys = keys;
    this.second = second;
  }

  static async start({ hasTwo = false } = {}): Promise<InstallKeysStage> {
    const [keys, second] = [await KeyServer.start(), await KeyServer.start()];
    if (hasTwo) standInForAtlassian([keys, second]);
    const env = { CONNECT_KEYS_CDN_URL: hasTwo ? undefined : keys.url };
    const stage = await TenantsWorld.start({ env, rates: MANY_EVENTS });
    const published = `${stage.world.parts.installKeys.url}/${await stage.currentKid()}`;
    for (const server of [keys, second]) server.findGood = () => published;
    await stage.world.install("jira");
    return new InstallKeysStage(stage, keys, second);
  }

  async close(): Promise<void> {
    vi.restoreAllMocks();
    await this.stage.close();
    await this.keys.close();
    await this.second.close();
  }

  get site(): AtlassianSite {
    return this.stage.world.site;
  }

  countAsked(kid: string, server = this.keys): number {
    return server.asked.filter((path) => path === `/${kid}`).length;
  }

  /** An event that changes nothing, signed by Atlassian. */
  async crowd(size: number, kid: string): Promise<Crowd> {
    return crowd(size, () => this.stage.sendEvent(senderOf(this.site), "enabled", { header: { kid } }));
  }

  async answer(kid: string): Promise<string> {
    const [answer = ""] = (await this.crowd(1, kid)).answers;
    return answer;
  }
}

/** Atlassian's addresses can't be configured one by one, and nothing listens at them here. */
function standInForAtlassian(servers: readonly KeyServer[]): void {
  const honestFetch = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const url = input as string;
    const nth = ATLASSIAN_INSTALL_KEYS_URLS.findIndex((address) => url.startsWith(`${address}/`));
    const server = servers[nth];
    return honestFetch(server ? `${server.url}${new URL(url).pathname}` : url, init);
  });
}

const ACCEPTED = "204";

/** The rows that one server can play for some kids and not for others, and where install keys are unlike teams. */
function listRows(elsewhere: string): Readonly<Record<string, OutageRow & { readonly code?: string }>> {
  const rows = Object.entries(outages(elsewhere));
  return {
    ...Object.fromEntries(rows.filter(([, { behaviour }]) => behaviour !== "refuses connections")),
    "says that there is no such key": {
      behaviour: (exchange) => {
        good({ ...exchange, good: { ...exchange.good, status: 404 } });
      },
      code: "connect_jwt_invalid",
    },
    "sends two keys": {
      behaviour: (exchange) => {
        good({ ...exchange, good: { ...exchange.good, body: exchange.good.body.repeat(2) } });
      },
    },
  };
}

const CROWD = 10;

describe("A server of install keys that", () => {
  const names = Object.keys(listRows(""));
  const seen = new Map<string, Readonly<Record<string, Crowd & { readonly asked: number }>>>();
  let atlassian: InstallKeysStage;
  let trap: Trap;

  // All of them at once: several take as long as the app waits for a key.
  beforeAll(async () => {
    trap = await startTrap();
    atlassian = await InstallKeysStage.start();
    const misbehave = () => {
      const rows = Object.values(listRows(`${trap.url}/key`));
      rows.forEach(({ behaviour }, nth) => {
        if (behaviour !== "refuses connections") atlassian.keys.behaviours.set(`/row-${nth}`, behaviour);
      });
    };
    try {
      misbehave();
      await observe("unknown key", 0, CROWD);
      atlassian.keys.behaviours.clear();
      await observe("back", 2 * MINUTE);
      misbehave();
      await observe("known key", 2 * HOUR);
      await observe("a moment later", 10);
      await observe("a day later", 25 * HOUR);
    } finally {
      vi.useRealTimers();
    }
  });

  afterAll(async () => {
    await atlassian.close();
    await trap.close();
  });

  async function observe(phase: string, secondsLater: number, size = 2): Promise<void> {
    laterBy(secondsLater);
    await Promise.all(
      names.map(async (name, nth) => {
        const kid = `row-${nth}`;
        const before = atlassian.countAsked(kid);
        const came = await atlassian.crowd(size, kid);
        const asked = atlassian.countAsked(kid) - before;
        seen.set(name, { ...seen.get(name), [phase]: { ...came, asked } });
      }),
    );
  }

  it.each(names)("%s", (name) => {
    const { isHarmless = false, code = "keys_unavailable" } = listRows("")[name]!;
    const refused = isHarmless ? ACCEPTED : code;
    const isWithdrawn = code === "connect_jwt_invalid";
    expect(seen.get(name)).toMatchObject({
      "unknown key": { answers: [refused] },
      back: { answers: [ACCEPTED], asked: isHarmless ? 0 : 1 },
      "known key": { answers: [isWithdrawn ? code : ACCEPTED] },
      "a moment later": { answers: [isWithdrawn ? code : ACCEPTED] },
      "a day later": { answers: [refused] },
    });
    const { "unknown key": unknown, "known key": known, "a moment later": momentLater } = seen.get(name)!;
    const dayLater = seen.get(name)!["a day later"]!;
    // What a busy machine needs itself is seen by those whose server answers at once.
    const control = seen.get("packs the keys")!;
    const longest = (phase: string, waitSeconds: number) =>
      waitSeconds + control[phase]!.seconds + SLACK_SECONDS;
    expect(unknown!.seconds).toBeLessThan(longest("unknown key", FETCH_TIMEOUT_SECONDS));
    expect(dayLater.seconds).toBeLessThan(longest("a day later", FETCH_TIMEOUT_SECONDS));
    expect(known!.seconds).toBeLessThan(longest("known key", RENEWAL_TIMEOUT_SECONDS));

    expect(known!.asked).toBe(1);
    expect(momentLater!.asked).toBe(0);
    for (const { asked, answers, seconds } of [unknown!, dayLater]) {
      expect(asked).toBeGreaterThanOrEqual(1);
      // Who comes after a quick failure starts a new attempt; who comes while it lasts, or knows its outcome, doesn't.
      const isShared = answers[0] !== "keys_unavailable" || seconds >= FETCH_TIMEOUT_SECONDS;
      expect(asked).toBeLessThanOrEqual(isShared ? 1 : CROWD);
    }
  });

  it("leads the app nowhere else", () => {
    expect(trap.caught).toEqual([]);
  });
});

describe("The key that Atlassian's second server has is used when the first one", () => {
  const names = [
    "hangs up",
    "never answers",
    "answers after two seconds",
    "answers 500, with the keys",
    "answers with half of what it announced",
    "answers with half of what it announced, and waits",
    "trickles the keys byte by byte",
    "says that there is no such key",
  ];
  const seen = new Map<string, Readonly<Record<string, Crowd & { readonly asked: readonly number[] }>>>();
  let atlassian: InstallKeysStage;

  beforeAll(async () => {
    atlassian = await InstallKeysStage.start({ hasTwo: true });
    names.forEach((name, nth) => {
      const { behaviour } = listRows("")[name]!;
      if (behaviour !== "refuses connections") atlassian.keys.behaviours.set(`/row-${nth}`, behaviour);
    });
    try {
      await observe("unknown key", 0);
      await observe("known key", 2 * HOUR);
    } finally {
      vi.useRealTimers();
    }
  });
  afterAll(() => atlassian.close());

  async function observe(phase: string, secondsLater: number): Promise<void> {
    laterBy(secondsLater);
    await Promise.all(
      names.map(async (name, nth) => {
        const kid = `row-${nth}`;
        const count = () => [atlassian.keys, atlassian.second].map((each) => atlassian.countAsked(kid, each));
        const before = count();
        const came = await atlassian.crowd(3, kid);
        const asked = count().map((times, server) => times - before[server]!);
        seen.set(name, { ...seen.get(name), [phase]: { ...came, asked } });
      }),
    );
  }

  it.each(names)("%s", (name) => {
    // Slow as it is, that is within the time for a new key, and not within the time for renewing one.
    const isSlow = name === "answers after two seconds";
    const { "unknown key": unknown, "known key": known } = seen.get(name)!;
    expect(unknown).toMatchObject({ answers: [ACCEPTED], asked: [1, isSlow ? 0 : 1] });
    expect(known).toMatchObject({ answers: [ACCEPTED], asked: [1, 1] });
    expect(unknown!.seconds).toBeLessThan(FETCH_TIMEOUT_SECONDS + SLACK_SECONDS);
    expect(known!.seconds).toBeLessThan(RENEWAL_TIMEOUT_SECONDS + SLACK_SECONDS);
  });

  it("refuses connections; and when both do, known keys go on working for a day", async () => {
    const { keys, second } = atlassian;
    const refuse = { behaviour: "refuses connections" } as const;
    const visitsFor = async (kid: string, answer: string): Promise<readonly number[]> => {
      const before = [keys.visits, second.visits] as const;
      expect(await atlassian.answer(kid)).toBe(answer);
      return [keys.visits - before[0], second.visits - before[1]];
    };
    travel(3 * HOUR);
    keys.misbehave(refuse);
    expect(await visitsFor("of-the-second", ACCEPTED)).toEqual([1, 1]);

    second.misbehave(refuse);
    expect(await visitsFor("of-neither", "keys_unavailable")).toEqual([1, 1]);
    expect(await visitsFor("of-the-second", ACCEPTED)).toEqual([0, 0]);
    travel(2 * HOUR);
    expect(await visitsFor("of-the-second", ACCEPTED)).toEqual([1, 1]);
    expect(await visitsFor("of-the-second", ACCEPTED)).toEqual([0, 0]);
    travel(25 * HOUR);
    expect(await visitsFor("of-the-second", "keys_unavailable")).toEqual([1, 1]);

    second.recover();
    expect(await visitsFor("of-the-second", ACCEPTED)).toEqual([1, 1]);
    expect(await visitsFor("of-neither", ACCEPTED)).toEqual([1, 1]);
  });
});

describe("While a key of Atlassian's is on its way,", () => {
  let atlassian: InstallKeysStage;

  beforeAll(async () => {
    atlassian = await InstallKeysStage.start();
    await atlassian.stage.world.page(ADA).saveSettings({ teamDomain: atlassian.stage.world.team.domain });
  });
  afterAll(() => atlassian.close());

  it("everybody else is answered before the fifty who wait for it", async () => {
    const { stage, keys, site } = atlassian;
    // All events are of one second, or the later ones would make those who wait too old.
    travel(0);
    expect(await atlassian.answer("known")).toBe(ACCEPTED);
    let isWaiting = true;
    const { release } = hold(keys, "/hanging");
    const hanging = atlassian.crowd(50, "hanging").finally(() => (isWaiting = false));
    await vi.waitFor(() => expect(atlassian.countAsked("hanging")).toBe(1));

    const accessJwt = await stage.world.team.signAccessJwt(GRACE, AUDIENCES.demo);
    expect(await atlassian.answer("known")).toBe(ACCEPTED);
    expect(await atlassian.answer("unknown")).toBe(ACCEPTED);
    expect(answerOf(await stage.sendEvent(senderOf(site), "enabled", { isSignedByTenant: true }))).toBe(
      ACCEPTED,
    );
    expect(answerOf(await stage.identify(site.host, accessJwt))).toBe("access_jwt_untrusted");
    expect(answerOf(await stage.world.page(ADA).send("GET", "/api/v1/settings"))).toBe("200");
    expect(isWaiting).toBe(true);

    release();
    expect((await hanging).answers).toEqual([ACCEPTED]);
    expect(atlassian.countAsked("hanging")).toBe(1);
  });

  it("an old key that is to be renewed does its work, though the server hangs", async () => {
    const { keys } = atlassian;
    expect(await atlassian.answer("old")).toBe(ACCEPTED);
    travel(2 * HOUR);
    keys.behaviour = () => undefined;
    let isWaiting = true;
    const hanging = atlassian.crowd(5, "nobody-has-it").finally(() => (isWaiting = false));
    await vi.waitFor(() => expect(atlassian.countAsked("nobody-has-it")).toBe(1));
    expect((await atlassian.crowd(5, "old")).answers).toEqual([ACCEPTED]);
    expect(isWaiting).toBe(true);
    expect(atlassian.countAsked("old")).toBe(2);
    expect((await hanging).answers).toEqual(["keys_unavailable"]);
    expect(atlassian.countAsked("nobody-has-it")).toBe(1);
    keys.behaviour = good;
  });

  it("Atlassian may change to another: tokens of both are good", async () => {
    const { stage, keys, site } = atlassian;
    const { installKeys } = stage.world.parts;
    travel(3 * HOUR);
    keys.findGood = (path) => `${installKeys.url}${path}`;
    const old = await stage.buildEvent(senderOf(site), "enabled");
    await installKeys.rotate();
    const { release } = hold(keys);
    const young = stage.buildEvent(senderOf(site), "enabled").then((event) => stage.send(event));
    const kid = await stage.currentKid();
    await vi.waitFor(() => expect(atlassian.countAsked(kid)).toBe(1));
    release();
    expect(answerOf(await young)).toBe(ACCEPTED);
    expect(answerOf(await stage.send(old))).toBe(ACCEPTED);
  });
});
