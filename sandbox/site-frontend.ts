import type { Product } from "../src/tenants/tenant.js";
import { createAppFrame, type AppPlace } from "./app-frame.js";
import type { AtlassianSite } from "./atlassian-site.js";
import { findAsset } from "./connect-assets.js";
import { html, json, redirect, type Answer, type Handler, type Incoming } from "./http-server.js";
import { issuesPage } from "./issue-pages.js";
import { readChoices, withChoices, type Choices } from "./site-choices.js";
import { hostPage, missingPage } from "./site-pages.js";
import { startPage } from "./start-page.js";

type Page = (choices: Choices, match: RegExpExecArray) => Answer | Promise<Answer>;

/** What a site is to people: a first screen, and the products' pages around the app's. */
export function addFrontend(site: AtlassianSite): void {
  const forPeople =
    (page: Page): Handler =>
    async (request, match) => {
      chooseOpener(site, request);
      const choices = readChoices(request, site.people);
      return withChoices(await page(choices, match), request, choices);
    };

  site.server.routes.push(
    ["GET", /^\/$/, forPeople((choices) => html(200, startPage(site, choices)))],
    ["GET", /^\/issues$/, forPeople((choices) => html(200, issuesPage(site, choices)))],
    ["GET", /^\/browse\/([A-Z]+-\d+)$/, (_, [, key = ""]) => redirect(`/issues#${key}`)],
    [
      "GET",
      /^(\/wiki)?\/plugins\/servlet\/ac\/([^/]+)\/([^/]+)$/,
      forPeople((choices, match) => showHostPage(site, choices, readPlace(match))),
    ],
    [
      "GET",
      /^\/sandbox\/context-jwt\/(jira|confluence)$/,
      (request, match) => giveToken(site, request, match),
    ],
    [
      "GET",
      /^\/(connect|sandbox)\//,
      ({ url }) => findAsset(url.pathname, site.url) ?? json(404, { message: "There is no such file." }),
    ],
  );
}

/** The Access team is the one that cuts a popup off from its opener; the choice is the team's, for everybody. */
function chooseOpener({ surroundings }: AtlassianSite, { url }: Incoming): void {
  const opener = url.searchParams.get("opener");
  if (surroundings && (opener === "cut" || opener === "kept"))
    surroundings.team.cutsOpeners = opener === "cut";
}

function readPlace([, wiki, appKey = "", moduleKey = ""]: RegExpExecArray): AppPlace {
  return { product: wiki ? "confluence" : "jira", appKey, moduleKey };
}

async function showHostPage(site: AtlassianSite, choices: Choices, place: AppPlace): Promise<Answer> {
  const frame = await createAppFrame(site, { ...place, person: choices.person });
  if (!frame) return html(404, missingPage(site, choices, place));
  return html(200, hostPage(site, choices, place, frame));
}

/** For the host page's script, which says whose page it is: another window may have chosen somebody else since. */
async function giveToken(
  site: AtlassianSite,
  request: Incoming,
  [, product]: RegExpExecArray,
): Promise<Answer> {
  const person = site.findVisitor(request);
  if (!person) return json(401, { message: "Nobody is signed in." });
  if (!site.findInstallation(product as Product)?.app)
    return json(404, { message: "The app isn't installed." });
  return json(200, { token: await site.contextJwt(product as Product, person.accountId) });
}
