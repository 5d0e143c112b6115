import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Reply } from "../sandbox/http-client.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, startWorld, type World } from "../sandbox/world.js";
import { TEAM_TIMEOUT_SECONDS } from "../src/access/team-key-fetcher.js";
import { travel } from "./lifecycle.fixture.js";
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
const DAY = 24 * HOUR;

/** A team with a key server of its own, and the site of the one tenant that names it. */
interface Team {
  readonly domain: string;
  readonly keys: KeyServer;
  readonly site: AtlassianSite;
}

/** One app, many teams. Their keys are all the same; where they come from isn't. */
class TeamsWorld {
  readonly world: World;
  readonly teams: readonly Team[];

  private constructor(world: World, teams: readonly Team[]) {
    this.world = world;
    this.teams = teams;
  }

  static async start(teamCount: number): Promise<TeamsWorld> {
    const servers = await Promise.all(Array.from({ length: teamCount }, () => KeyServer.start()));
    const named = servers.map((keys, nth) => ({ keys, domain: `team-${nth}.cloudflareaccess.com` }));
    const overrides = named.map(({ domain, keys }) => `${domain}=${keys.url}`).join(",");
    const world = await startWorld({ hasEdge: false, env: { ACCESS_ORIGIN_OVERRIDES: overrides } });
    const { installKeys, client } = world.parts;
    const teams: Team[] = [];
    for (const { keys, domain } of named) {
      keys.findGood = (path) => `${world.team.url}${path}`;
      const site = await AtlassianSite.start({ keys: installKeys, client });
      await world.install("jira", site);
      await world.page(ADA, "jira", site).saveSettings({ teamDomain: domain, services: SERVICES });
      await vi.waitFor(() => expect(keys.asked).toHaveLength(1));
      teams.push({ keys, domain, site });
    }
    const started = new TeamsWorld(world, teams);
    for (const team of teams) expect(await started.answer(team)).toBe(ACCEPTED);
    return started;
  }

  async close(): Promise<void> {
    await this.world.close();
    for (const { site, keys } of this.teams) await Promise.all([site.close(), keys.close()]);
  }

  async sign({ domain }: Pick<Team, "domain">, kid?: string): Promise<string> {
    return this.world.team.signAccessJwt(GRACE, AUDIENCES.demo, {
      claims: { iss: `https://${domain}` },
      header: kid === undefined ? {} : { kid },
    });
  }

  async ask({ site }: Team, token: string): Promise<Reply> {
    return this.world.parts.client.send({
      caller: "A service",
      method: "GET",
      url: `${this.world.appUrl}/api/v1/sites/${site.host}/identity`,
      headers: { "cf-access-jwt-assertion": token },
    });
  }

  async send(method: string, path: string): Promise<Reply> {
    const { client } = this.world.parts;
    return client.send({ caller: "Somebody", method, url: `${this.world.appUrl}${path}` });
  }

  async answer(team: Team, kid?: string): Promise<string> {
    return answerOf(await this.ask(team, await this.sign(team, kid)));
  }

  async crowd(size: number, team: Team, kid?: string): Promise<Crowd> {
    const token = await this.sign(team, kid);
    return crowd(size, () => this.ask(team, token));
  }
}

const STRANGER = { domain: "stranger.cloudflareaccess.com" };

/** Nobody is linked: that is told only of a token that is good. */
const ACCEPTED = "not_linked";

describe("A team whose key server", () => {
  let trap: Trap;
  const names = Object.keys({ ...outages(""), ...teamOutages() });
  const seen = new Map<string, Readonly<Record<string, Crowd & { readonly asked: number }>>>();
  let stage: TeamsWorld;

  // All of them at once: several take as long as the app waits for a team.
  beforeAll(async () => {
    trap = await startTrap();
    stage = await TeamsWorld.start(names.length);
    const rows = { ...outages(`${trap.url}/keys`), ...teamOutages() };
    try {
      names.forEach((name, nth) => {
        stage.teams[nth]!.keys.misbehave(rows[name]!);
      });
      await observe("known keys", 2 * HOUR);
      await observe("unknown kid", 0, { kid: "made-up" });
      await observe("a week later", 8 * DAY, { size: 50 });
      await observe("a moment later", 10);
      for (const { keys } of stage.teams) keys.recover();
      await observe("just back", 10);
      await observe("back", MINUTE);
    } finally {
      vi.useRealTimers();
    }
  });

  afterAll(async () => {
    await stage.close();
    await trap.close();
  });

  async function observe(
    phase: string,
    secondsLater: number,
    { size = 3, kid }: { size?: number; kid?: string } = {},
  ): Promise<void> {
    laterBy(secondsLater);
    await Promise.all(
      names.map(async (name, nth) => {
        const team = stage.teams[nth]!;
        const before = team.keys.visits;
        const came = await stage.crowd(size, team, kid);
        seen.set(name, { ...seen.get(name), [phase]: { ...came, asked: team.keys.visits - before } });
      }),
    );
  }

  it.each(names)("%s", (name) => {
    const { isHarmless = false } = { ...outages(""), ...teamOutages() }[name]!;
    const told = (code: string, asked: number) => ({ answers: [code], asked });
    const bad = isHarmless ? ACCEPTED : "keys_unavailable";
    expect(seen.get(name)).toMatchObject({
      "known keys": { answers: [ACCEPTED] },
      "unknown kid": { answers: [isHarmless ? "access_jwt_untrusted" : "keys_unavailable"] },
      "a week later": told(bad, 1),
      "a moment later": told(bad, 0),
      "just back": told(bad, 0),
      back: told(ACCEPTED, isHarmless ? 0 : 1),
    });
    const { "known keys": known, "unknown kid": unknown } = seen.get(name)!;
    // Behind the back of those who have a known key; the others may share that.
    expect(known!.asked + unknown!.asked).toBeGreaterThanOrEqual(1);
    expect(known!.asked + unknown!.asked).toBeLessThanOrEqual(2);
    expect(known!.seconds).toBeLessThan(SLACK_SECONDS);
    expect(unknown!.seconds).toBeLessThan(TEAM_TIMEOUT_SECONDS + SLACK_SECONDS);
  });

  it("leads the app nowhere else", () => {
    expect(trap.caught).toEqual([]);
  });
});

describe("While a team hangs,", () => {
  let stage: TeamsWorld;
  let dead: Team;
  let alive: Team;
  let cold: Team;

  beforeAll(async () => {
    stage = await TeamsWorld.start(3);
    [dead, alive, cold] = stage.teams as [Team, Team, Team];
  });
  afterAll(() => stage.close());

  it("everybody else is answered before those who wait for it", async () => {
    const { release } = hold(dead.keys);
    travel(8 * DAY);
    // The app has no key of this team either now, but its server answers.
    const order: string[] = [];
    const note = (who: string) => (reply: Reply) => {
      order.push(who);
      return `${who}: ${answerOf(reply)}`;
    };
    const before = dead.keys.asked.length;
    const hanging = stage.crowd(50, dead).then((came) => {
      order.push("those who wait");
      return came;
    });
    await vi.waitFor(() => expect(dead.keys.asked).toHaveLength(before + 1));

    const others = await Promise.all([
      stage.ask(alive, await stage.sign(alive)).then(note("another team")),
      stage.ask(cold, await stage.sign(cold, "made-up")).then(note("a made-up kid of another team")),
      stage.ask(dead, "not-a-token").then(note("a malformed token")),
      stage.ask(dead, await stage.sign(STRANGER)).then(note("a team that nobody names")),
      stage.send("GET", "/healthz").then(note("a probe")),
      stage.send("GET", "/readyz").then(note("another probe")),
      stage.world.page(ADA, "jira", dead.site).send("GET", "/api/v1/settings").then(note("its admin")),
      // Not one that disables it: some of those who wait may not have come so far yet.
      dead.site.enable("jira").then(note("its site")),
    ]);

    expect(others).toEqual([
      `another team: ${ACCEPTED}`,
      "a made-up kid of another team: access_jwt_untrusted",
      "a malformed token: access_jwt_malformed",
      "a team that nobody names: access_jwt_untrusted",
      "a probe: 200",
      "another probe: 200",
      "its admin: 200",
      "its site: 204",
    ]);
    expect(order).not.toContain("those who wait");
    release();
    expect((await hanging).answers).toEqual([ACCEPTED]);
    expect(dead.keys.asked).toHaveLength(before + 1);
  });

  it("its own known keys work, however old, and it is asked once behind the back of all who use them", async () => {
    expect(await stage.answer(dead)).toBe(ACCEPTED);
    const { release } = hold(dead.keys);
    travel(6 * DAY);
    const before = dead.keys.asked.length;
    expect((await stage.crowd(50, dead)).answers).toEqual([ACCEPTED]);
    expect((await stage.crowd(50, dead)).answers).toEqual([ACCEPTED]);
    await vi.waitFor(() => expect(dead.keys.asked).toHaveLength(before + 1));
    release();
  });
});

describe("When a team changes its keys", () => {
  let stage: TeamsWorld;
  let team: Team;

  beforeAll(async () => {
    stage = await TeamsWorld.start(1);
    [team] = stage.teams as [Team];
  });
  afterAll(() => stage.close());

  it("a token of the new key waits for it, while tokens of the old one go on", async () => {
    const old = await stage.sign(team);
    const { release } = hold(team.keys);
    travel(MINUTE);
    await stage.world.team.rotateKeys();
    const before = team.keys.asked.length;
    const waiting = stage.crowd(50, team);
    await vi.waitFor(() => expect(team.keys.asked).toHaveLength(before + 1));

    expect(answerOf(await stage.ask(team, old))).toBe(ACCEPTED);
    release();

    expect((await waiting).answers).toEqual([ACCEPTED]);
    expect(answerOf(await stage.ask(team, old))).toBe(ACCEPTED);
    expect(team.keys.asked).toHaveLength(before + 1);
  });

  it("while the old ones are on their way to the app, a token of the new key is good a minute later", async () => {
    const { release } = hold(team.keys);
    travel(2 * MINUTE);
    const before = team.keys.asked.length;
    const probing = stage.answer(team, "made-up");
    await vi.waitFor(() => expect(team.keys.asked).toHaveLength(before + 1));
    await stage.world.team.rotateKeys();
    release();
    expect(await probing).toBe("access_jwt_untrusted");

    expect(await stage.answer(team)).toBe("access_jwt_untrusted");
    expect(team.keys.asked).toHaveLength(before + 1);
    travel(MINUTE);
    expect(await stage.answer(team)).toBe(ACCEPTED);
  });

  it("a token of a key that was dropped is worth nothing once the app has seen that", async () => {
    travel(4 * MINUTE);
    const old = await stage.sign(team);
    expect(answerOf(await stage.ask(team, old))).toBe(ACCEPTED);
    await stage.world.team.rotateKeys();
    stage.world.team.dropOldKeys();
    expect(await stage.answer(team)).toBe(ACCEPTED);
    expect(answerOf(await stage.ask(team, old))).toBe("access_jwt_untrusted");
  });
});

/** Where teams are unlike other key servers. */
function teamOutages(): Readonly<Record<string, OutageRow>> {
  const sendInstead = (text: string): OutageRow => ({
    behaviour: (exchange) => {
      good({ ...exchange, good: { ...exchange.good, body: text } });
    },
  });
  return {
    "says that there is no such team": {
      behaviour: (exchange) => {
        good({ ...exchange, good: { ...exchange.good, status: 404 } });
      },
    },
    "sends other JSON": sendInstead('{"success":true,"result":[]}'),
    "sends JSON nested without end": sendInstead("[".repeat(60_000)),
    "sends no keys": sendInstead('{"keys":[]}'),
    "sends keys that can't be used": sendInstead('{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}'),
  };
}
