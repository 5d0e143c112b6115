import { AppPage } from "./app-page.js";
import type { AtlassianSite } from "./atlassian-site.js";
import { escapeHtml } from "./html.js";
import type { HttpClient, Reply } from "./http-client.js";
import { html } from "./http-server.js";
import { nickname, type Person } from "./people.js";
import { readChoices, withChoices } from "./site-choices.js";
import { pathOf, productHeader, sitePage } from "./site-pages.js";

interface Options {
  readonly site: AtlassianSite;
  readonly client: HttpClient;
  readonly appUrl: string;
  /** What is called, and as what the admin listed it. */
  readonly tool: { readonly url: string; readonly label: string };
}

type Me = Readonly<{ services: readonly Readonly<{ serviceId: string; label: string }>[] }>;

/** A page in Jira that calls a tool for whoever looks at it. The site makes the calls that its script would make. */
export function addCallingPage(options: Options): void {
  const { site } = options;
  site.server.routes.push([
    "GET",
    /^\/calling-page$/,
    async (request) => {
      const choices = readChoices(request, site.people);
      const appKey = site.findInstallation("jira")?.app?.key ?? null;
      const replies = appKey === null ? [] : await callTool(options, choices.person);
      const accountPage = appKey === null ? "/" : pathOf({ product: "jira", appKey, moduleKey: "account" });
      const cure = findCure(replies[0], choices.person);
      const body = `${productHeader(choices, { product: "jira", appKey, moduleKey: null })}
<main class="paper">
<h1>A page in Jira that calls a tool</h1>
<p>For ${escapeHtml(choices.person.name)}, it gets an assertion from the app, and sends that to the tool.</p>
${replies.map(presentReply).join("\n")}
<p><a class="button" href="${escapeHtml(cure ?? accountPage)}">${cure === null ? "See what tools may do for you" : "Put it right"}</a></p>
</main>`;
      const page = sitePage(site, choices, { title: "A page in Jira that calls a tool", body });
      return withChoices(html(200, page), request, choices);
    },
  ]);
}

/** The assertion, and, if there is one, what the tool makes of it. */
async function callTool({ site, client, appUrl, tool }: Options, person: Person): Promise<Reply[]> {
  const page = new AppPage({ client, appUrl, site, product: "jira", person });
  const me = (await page.send("GET", "/api/v1/me")).expect(200).body as Me;
  const service = me.services.find(({ label }) => label === tool.label);
  const asserted = await page.send("POST", "/api/v1/me/assertions", { serviceId: service?.serviceId ?? "" });
  if (asserted.status !== 201) return [asserted];
  const { assertion } = asserted.body as { assertion: string };
  const headers = { authorization: `Bearer ${assertion}` };
  const caller = "A page in Jira";
  return [asserted, await client.send({ caller, method: "POST", url: tool.url, headers })];
}

/** Where the app says that this person can put its refusal right. */
function findCure(asserted: Reply | undefined, person: Person): string | null {
  if (asserted === undefined || asserted.status === 201) return null;
  const { consentUrl, linkUrl = consentUrl } = asserted.body as { consentUrl?: string; linkUrl?: string };
  if (linkUrl === undefined) return null;
  const url = new URL(linkUrl);
  // Another window may have chosen somebody else since.
  url.searchParams.set("as", nickname(person));
  return url.href;
}

function presentReply({ call, status, text }: Reply): string {
  return `<h2>${escapeHtml(`${call.method} ${call.url}`)}</h2>
<p>The answer was ${status}:</p>
<pre>${escapeHtml(text)}</pre>`;
}
