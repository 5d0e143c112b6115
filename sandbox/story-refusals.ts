import assert from "node:assert/strict";

import { AccessTeam } from "./access-team.js";
import { epochSeconds } from "./jwt.js";
import { ADA, GRACE, NIGHTLY_BUILD } from "./people.js";
import type { Reply } from "./http-client.js";
import type { Stage } from "./stage.js";
import { AUDIENCES } from "./world-parts.js";

const AS_DEMO = { product: "jira", audience: AUDIENCES.demo };

/** Steps that show what a token isn't good for, and what ends a link. */
export async function tellWhatIsRefused(stage: Stage): Promise<void> {
  await refuseForeignTokens(stage);
  await rotateKeys(stage);
  await unlink(stage);
  await reinstall(stage);
}

async function refuseForeignTokens({ world, transcript }: Stage): Promise<void> {
  const { team } = world;
  transcript.step(
    "Tokens that say nothing here",
    "Each is correctly signed. The first is from another company's team. The answer doesn't tell which check failed, so that " +
      "nobody can find out which sites and teams exist.",
  );
  const strangers = await AccessTeam.start({ domain: "strangers.cloudflareaccess.com" });
  const foreign = await strangers.signAccessJwt(GRACE, AUDIENCES.demo);
  await strangers.close();
  expectProblem(await world.identify(foreign, AS_DEMO), 401, "access_jwt_untrusted");

  transcript.say(
    "The next was made for another application of the right team: the service named its own audience.",
  );
  const otherAudience = await team.signAccessJwt(GRACE, AUDIENCES.app);
  expectProblem(await world.identify(otherAudience, AS_DEMO), 401, "access_jwt_untrusted");

  transcript.say("This one has expired.");
  const now = epochSeconds();
  const expired = { claims: { iat: now - 90_000, nbf: now - 90_000, exp: now - 3600 } };
  expectProblem(
    await world.identify(await team.signAccessJwt(GRACE, AUDIENCES.demo, expired), AS_DEMO),
    401,
    "access_jwt_expired",
  );

  transcript.say(
    "And the nightly build gets through Access with a service token, but a machine is nobody in Jira.",
  );
  const visit = await world.parts.client.send({
    caller: NIGHTLY_BUILD.name,
    method: "GET",
    url: `${world.parts.demoUrl}/`,
    headers: {
      "cf-access-client-id": NIGHTLY_BUILD.clientId,
      "cf-access-client-secret": NIGHTLY_BUILD.clientSecret,
    },
  });
  assert.match(
    visit.expect(200).text,
    /service token/,
    "The demo service should say what a service token isn't.",
  );
}

async function rotateKeys({ world, transcript }: Stage): Promise<void> {
  const { team } = world;
  transcript.step(
    "The team rotates its keys",
    "Cloudflare does so every few weeks. Tokens signed with the old key go on working while it is published; for a key it " +
      "has never seen, the app asks the team, once a minute at most.",
  );
  const before = await team.signAccessJwt(GRACE, AUDIENCES.demo);
  await team.rotateKeys();
  const after = await team.signAccessJwt(GRACE, AUDIENCES.demo);
  (await world.identify(before, AS_DEMO)).expect(200);
  (await world.identify(after, AS_DEMO)).expect(200);
}

async function unlink(stage: Stage): Promise<void> {
  stage.transcript.step(
    "Grace takes her link back",
    "It is hers: no admin needed, and it counts from the next question on, whatever is cached.",
  );
  await stage.world.page(GRACE).unlinkAll();
  const page = await stage.visitDemo(GRACE);
  assert.ok(!page.includes(GRACE.accountId), "The demo service should no longer know Grace's account.");
}

async function reinstall(stage: Stage): Promise<void> {
  const { world, transcript } = stage;
  transcript.step(
    "The admin uninstalls the app",
    "The shared secret, all links and what people agreed to are erased at once. From now on no token works: neither Jira's, whose secret is gone, " +
      "nor Access's, for nobody here trusts that team any more.",
  );
  (await world.site.uninstall("jira")).expect(204);
  (await world.site.uninstall("confluence")).expect(204);
  expectProblem(await world.page(GRACE).send("GET", "/api/v1/me"), 401, "connect_jwt_invalid");
  const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
  expectProblem(await world.identify(token, AS_DEMO), 401, "access_jwt_untrusted");

  transcript.step(
    "And installs it again",
    "The settings were kept and count again. The links are gone: Grace proves both sides once more.",
  );
  await transcript.aside(async () => {
    await world.install("jira");
    await world.install("confluence");
  });
  assert.equal(
    (await world.page(ADA).getSettings()).teamDomain,
    world.team.domain,
    "The settings should be back.",
  );
  const browser = await stage.browserOf(GRACE);
  await transcript.aside(() => world.page(GRACE).link(browser));
  (await world.identify(token, AS_DEMO)).expect(200);
}

function expectProblem(reply: Reply, status: number, code: string): void {
  const problem = reply.expect(status).body as { code: string };
  assert.equal(problem.code, code, `The refusal should be ${code}, not ${problem.code}.`);
}
