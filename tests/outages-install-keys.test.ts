import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { senderOf, TenantsWorld, travel } from "./lifecycle.fixture.js";
import {
  answerOf,
  crowd,
  good,
  hold,
  KeyServer,
  laterBy,
  outages,
  startTrap,
  type Crowd,
  type OutageRow,
  type Trap,
} from "./outages.fixture.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** One app with one tenant, and a key server that has the same key under every kid. */
class InstallKeysStage {
  readonly stage: TenantsWorld;
  readonly keys: KeyServer;

  private constructor(stage: TenantsWorld, keys: KeyServer) {
    this.stage = stage;
    this.keys = keys;
  }

  static async start(): Promise<InstallKeysStage> {
    const keys = await KeyServer.start();
    const stage = await TenantsWorld.start({ env: { CONNECT_KEYS_CDN_URL: keys.url } });
    const published = `${stage.world.parts.installKeys.url}/${await stage.currentKid()}`;
    keys.findGood = () => published;
    await stage.world.install("jira");
    return new InstallKeysStage(stage, keys);
  }

  async close(): Promise<void> {
    await this.stage.close();
    await this.keys.close();
  }

  get site(): AtlassianSite {
    return this.stage.world.site;
  }

  countAsked(kid: string): number {
    return this.keys.asked.filter((path) => path === `/${kid}`).length;
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
      await observe("unknown key", 0, 10);
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
    expect(unknown!.seconds).toBeLessThan(10);
    expect(known!.seconds).toBeLessThan(10);
    expect(known!.asked).toBe(1);
    expect(momentLater!.asked).toBe(0);
  });

  it("leads the app nowhere else", () => {
    expect(trap.caught).toEqual([]);
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
