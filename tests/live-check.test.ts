import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { GRACE } from "../sandbox/people.js";
import type { ProblemCode } from "../src/errors.js";
import { consentPath, readMine } from "./consents.fixture.js";
import { travel } from "./lifecycle.fixture.js";
import { expectProblem, type Answer, type Problem } from "./refusals.fixture.js";
import { tool, ToolsWorld } from "./service-keys.fixture.js";

let tools: ToolsWorld;
let token: string;
beforeAll(async () => {
  tools = await ToolsWorld.start();
});
afterAll(() => tools.close());
beforeEach(async () => {
  await tools.list(tool("Builds", { limits: { liveCheckSeconds: 60 } }), tool("Reports"));
  token = await tools.sign("Builds");
});

const team = () => tools.gateway.world.team;
const refuse = (answer: Answer, code: ProblemCode): Problem =>
  expectProblem(answer, code, tools.gateway.world.appUrl);

/** How often the team was asked whose session it is. */
function countChecks(): number {
  return team().server.requests.filter((line) => line.includes("/cdn-cgi/access/get-identity")).length;
}

/** How many more times, and what the product was asked meanwhile. */
async function observe(work: () => Promise<void>): Promise<{ checks: number; products: number }> {
  const before = { checks: countChecks(), products: tools.gateway.productCalls().length };
  await work();
  return {
    checks: countChecks() - before.checks,
    products: tools.gateway.productCalls().length - before.products,
  };
}

function disturb(disturbance: Partial<ReturnType<typeof team>["behaviour"]>): void {
  const { behaviour } = team();
  const before = { ...behaviour };
  onTestFinished(() => void Object.assign(behaviour, before));
  Object.assign(behaviour, disturbance);
}

describe("a service for which the admin wants Access to be asked", () => {
  it("acts while the session lasts, and Access is asked once in so many seconds", async () => {
    travel(0);
    const act = async () => expect((await tools.act(token)).status).toBe(200);
    const actTwice = async () => {
      await Promise.all([act(), act()]);
    };
    expect(await observe(actTwice)).toMatchObject({ checks: 1 });
    expect(await observe(act)).toMatchObject({ checks: 0 });
    travel(60);
    expect(await observe(act)).toMatchObject({ checks: 1 });
  });

  it("acts no more once Access has ended the session, though the token is good for hours", async () => {
    travel(0);
    expect((await tools.act(token)).status).toBe(200);
    team().endSession(token);
    // For as long as the admin said, the yes counts.
    expect((await tools.act(token)).status).toBe(200);
    travel(60);
    const seen = await observe(async () => {
      for (let nth = 0; nth < 3; nth += 1) {
        expect(refuse(await tools.act(token), "access_jwt_expired").detail).toBe(
          "Access has ended the session that this token was made in. Sign in to Access again.",
        );
      }
    });
    expect(seen).toEqual({ checks: 1, products: 0 });
    expect((await tools.act(await tools.sign("Builds"))).status).toBe(200);
  });

  it("still learns who its visitor is, for which a session isn't asked for", async () => {
    team().endSession(token);
    expect(await observe(async () => void (await tools.identify(token)).expect(200))).toMatchObject({
      checks: 0,
    });
  });

  it.each<[what: string, disturbance: Parameters<typeof disturb>[0], code: ProblemCode]>([
    ["is away", { off: true }, "upstream_failed"],
    ["is out of order", { failing: true }, "upstream_failed"],
    ["says nothing for five seconds", { delaySeconds: 7 }, "upstream_timeout"],
  ])("doesn't act while Access %s", { timeout: 20_000 }, async (_what, disturbance, code) => {
    (await tools.identify(token)).expect(200);
    disturb(disturbance);
    const seen = await observe(async () => {
      expect(refuse(await tools.act(token), code).detail).toMatch(/^Cloudflare Access /);
    });
    expect(seen.products).toBe(0);
  });

  it("makes nobody ask Access for whom something else is in the way", async () => {
    const seen = await observe(async () => {
      refuse(await tools.gateway.call({ token, path: "/other" }), "request_not_allowed");
      refuse(await tools.gateway.call({ token, method: "DELETE" }), "request_not_allowed");
      await tools.change("Builds", {
        limits: { ...tool("Builds", { limits: { liveCheckSeconds: 60 } }).limits, consent: "required" },
      });
      refuse(await tools.act(token), "consent_required");
      await tools.change("Builds", { paused: true });
      refuse(await tools.act(token), "paused");
    });
    expect(seen).toEqual({ checks: 0, products: 0 });
  });

  it("is refused for what somebody decided while Access was asked", async () => {
    const page = tools.gateway.world.page(GRACE);
    const id = await tools.idOf("Builds");
    disturb({ delaySeconds: 1 });
    const acting = tools.act(token);
    await new Promise((resolve) => setTimeout(resolve, 300));
    (await page.send("DELETE", consentPath(id))).expect(204);
    refuse(await acting, "consent_required");
    // What is withdrawn stays so for the audience, and the next test's service has the same.
    const digest = (await readMine(page)).services.find(({ serviceId }) => serviceId === id)?.digest;
    (await page.send("PUT", consentPath(id), { digest })).expect(204);
  });
});

it("for other services Access isn't asked", async () => {
  const other = await tools.sign("Reports");
  team().endSession(other);
  const seen = await observe(async () => expect((await tools.act(other)).status).toBe(200));
  expect(seen.checks).toBe(0);
});

it("the app follows Access nowhere else with the token", async () => {
  const { routes } = team().server;
  const elsewhere: string[] = [];
  routes.unshift(
    [
      "GET",
      /^\/cdn-cgi\/access\/get-identity$/,
      () => ({ status: 302, headers: { location: `${team().url}/elsewhere` }, body: "" }),
    ],
    [
      "GET",
      /^\/elsewhere$/,
      ({ headers }) => {
        elsewhere.push(headers.cookie ?? "");
        return { status: 200, headers: {}, body: JSON.stringify({ email: GRACE.email }) };
      },
    ],
  );
  onTestFinished(() => void routes.splice(0, 2));
  refuse(await tools.act(token), "access_jwt_expired");
  expect(elsewhere).toEqual([]);
});
