import { createPerson, GRACE, LINUS } from "./people.js";
import { makeLinkOld, makeLinkUnproved } from "./scene-database.js";
import type { SceneGroup } from "./scene.js";
import { SCENE_LABEL, type SceneRun } from "./scene-run.js";
import { COMMENTING, READING } from "./scene-site.js";

async function letWriteToo(run: SceneRun): Promise<void> {
  const requests = [...READING, ...COMMENTING];
  await run.changeSettings((services) => ({
    services: services.map((service) =>
      service.label === SCENE_LABEL ? { ...service, limits: { ...service.limits, requests } } : service,
    ),
  }));
}

export const PERSON_SCENES: SceneGroup = {
  title: "What the person has done",
  scenes: [
    {
      id: "not-linked",
      title: "The person isn't linked",
      about: "Linus has proved to nobody which account is his. The answer says where he does.",
      ending: { code: "not_linked" },
      play: async (run) => {
        await run.trust();
        await run.unlink(LINUS);
        return run.call({ holder: LINUS });
      },
    },
    {
      id: "unconfirmed-link",
      title: "A link that an admin wrote",
      about:
        "It says whose account it is, but its owner hasn't confirmed it. No page makes such links yet, so the sandbox writes one into the database.",
      ending: { code: "proof_required" },
      play: async (run) => {
        await run.setOut();
        await makeLinkUnproved(run.scene.world, run.person);
        return run.call();
      },
    },
    {
      id: "lapsed-link",
      title: "A link that was forgotten",
      about: "It was proved, but not used for 90 days. The sandbox doesn't wait: it dates the link back.",
      ending: { code: "proof_required" },
      play: async (run) => {
        await run.setOut();
        await makeLinkOld(run.scene.world, run.person);
        return run.call();
      },
    },
    {
      id: "consent",
      title: "Grace hasn't agreed",
      about: "Weekly reports asks first. Follow the link in the answer to agree as Grace.",
      ending: { code: "consent_required" },
      play: async (run) => {
        await run.unagree(GRACE);
        return run.callReports({ holder: GRACE });
      },
    },
    {
      id: "consent-changed",
      title: "The service may do more than was agreed to",
      about: "Somebody agreed that the service may read. Then Ada let it write, too. It has to ask again.",
      ending: { code: "consent_required" },
      play: async (run) => {
        await run.setOut({ limits: { consent: "required" } });
        await run.agree(run.person, SCENE_LABEL);
        await letWriteToo(run);
        return run.call();
      },
    },
    {
      id: "stale-agreement",
      title: "Agreed to what was shown before",
      about:
        "Somebody reads that the service may read, and clicks Agree. Meanwhile Ada has let it write, too. Nobody agrees to what they weren't shown: the page has to show it first.",
      ending: { code: "consent_changed" },
      play: async (run) => {
        await run.setOut({ limits: { consent: "required" } });
        const page = run.scene.page(run.person);
        const { serviceId, digest } = await page.findService(SCENE_LABEL);
        await letWriteToo(run);
        return page.sendConsent(serviceId, digest);
      },
    },
    {
      id: "ambiguous-site",
      title: "Two accounts for one visitor",
      about:
        "The same Access identity is linked to one account in Jira and to another in Confluence. A service that names no product gets no answer.",
      ending: { code: "ambiguous_site" },
      play: async (run) => {
        const { email, accessSubject } = run.person;
        const other = createPerson("Robin Retired", { email, accessSubject });
        await run.joinLinked();
        run.join(other);
        await run.link(other, "confluence");
        return run.identifyReports({});
      },
    },
  ],
};
