import { createRemoteJWKSet, jwtVerify } from "jose";

import type { Reply } from "./http-client.js";
import { GRACE, LINUS } from "./people.js";
import { makeLinkUnproved } from "./scene-database.js";
import { SCENE_AUDIENCE } from "./scene-run.js";
import { REPORTS, type SceneSite } from "./scene-site.js";
import type { Fact, SceneGroup } from "./scene.js";

/** What the service reads in an assertion, having verified it with the site's public keys. */
async function readAssertion({ body }: Reply, { site, world }: SceneSite): Promise<readonly Fact[]> {
  const { assertion } = body as { assertion: string };
  const issuer = `${world.appUrl}/sites/${site.host}/jira`;
  const pinned = { issuer, audience: SCENE_AUDIENCE, typ: "assertion+jwt", algorithms: ["ES256"] };
  const { payload } = await jwtVerify(assertion, createRemoteJWKSet(new URL(`${issuer}/jwks.json`)), pinned);
  return Object.entries(payload).map(([name, claim]) => [
    `claim ${name}`,
    typeof claim === "string" ? claim : JSON.stringify(claim),
  ]);
}

export const ASSERTION_SCENES: SceneGroup = {
  title: "A page asks for an assertion",
  scenes: [
    {
      id: "assertion-not-linked",
      title: "Nobody knows who Linus is in Access",
      about:
        "A page in Jira, which Linus looks at, wants to tell a service who he is. He hasn't linked, so there is nothing to vouch for.",
      ending: { code: "not_linked" },
      play: async (run) => {
        const serviceId = await run.trust({ purposes: ["assert"] });
        await run.unlink(LINUS);
        return run.askAssertion(LINUS, serviceId);
      },
    },
    {
      id: "assertion-unconfirmed",
      title: "Nobody is vouched for through a link that an admin wrote",
      about: "Its owner hasn't confirmed it. The sandbox writes such a link into the database.",
      ending: { code: "proof_required" },
      play: async (run) => {
        const serviceId = await run.setOut({ purposes: ["assert"] });
        await makeLinkUnproved(run.scene.world, run.person);
        return run.askAssertion(run.person, serviceId);
      },
    },
    {
      id: "assertion-purpose",
      title: "A service that gets no assertions",
      about: "It may act for people when they visit it, and isn't told who looks at a page in Jira.",
      ending: { code: "purpose_not_allowed" },
      play: async (run) => run.askAssertion(run.person, await run.setOut({ purposes: ["act"] })),
    },
    {
      id: "assertion-paused",
      title: "No assertions for a service that is paused",
      about: "Ada has paused this one service: no page can tell it anything.",
      ending: { code: "paused" },
      play: async (run) =>
        run.askAssertion(run.person, await run.setOut({ purposes: ["assert"], paused: true })),
    },
    {
      id: "assertion-consent",
      title: "Grace hasn't agreed that pages vouch for her",
      about:
        "Weekly reports asks first, for this as for acting. Follow the link in the answer to agree as Grace.",
      ending: { code: "consent_required" },
      play: async (run) => {
        await run.unagree(GRACE);
        const { serviceId } = await run.scene.page(GRACE).findService(REPORTS.label);
        return run.askAssertion(GRACE, serviceId);
      },
    },
    {
      id: "assertion",
      title: "A page in Jira vouches for its visitor",
      about:
        "The page gets an assertion that tells the service, for a minute, who looks at the page. The service verifies it with this site's public keys, and reads what you see here.",
      ending: { status: 201 },
      play: async (run) => run.askAssertion(run.person, await run.setOut({ purposes: ["assert"] })),
      read: readAssertion,
    },
  ],
};
