import type { Product } from "../src/tenants/tenant.js";
import type { AtlassianSite, Surroundings } from "./atlassian-site.js";
import type { Examples } from "./examples.js";
import type { ForgeSite } from "./forge-site.js";
import { escapeHtml } from "./html.js";
import type { Choices } from "./site-choices.js";
import { pathOf, sitePage } from "./site-pages.js";

interface Step {
  readonly title: string;
  readonly text: string;
  readonly links: readonly (readonly [text: string, url: string])[];
  /** HTML below the text. */
  readonly details?: string;
}

/** The first screen: what this is, and what to click. */
export function startPage(site: AtlassianSite, choices: Choices): string {
  const steps = listSteps(site).map(
    ({ title, text, details = "", links }) => `<li>
<h2>${escapeHtml(title)}</h2>
<p>${escapeHtml(text)}</p>
${details}<p class="links">${links.map(([label, url]) => `<a class="button" href="${escapeHtml(url)}">${escapeHtml(label)}</a>`).join("\n")}</p>
</li>`,
  );
  return sitePage(site, choices, {
    title: "Sandbox of Access for Atlassian Cloud",
    body: `<main class="paper">
<h1>Try Access for Atlassian Cloud</h1>
<p>This is a Jira and Confluence site that exists on your computer only, with a Cloudflare Access team beside it. All its
people are made up, and nobody needs a password. The app in it is the real one. It connects who you are in Access with who
you are in Jira or Confluence.</p>
${steps.length > 0 ? `<ol class="steps">\n${steps.join("\n")}\n</ol>` : "<p>The app isn't installed here yet.</p>"}
<p class="subtle">The purple bar is on every page: be somebody else, go to the other product, switch between light and dark,
and choose whether the sign-in page of Access cuts a popup off from the page that opened it. The menu in the
sandbox's terminal switches the team off, makes it slow and rotates its keys. Everything is gone when the sandbox ends.</p>
</main>`,
  });
}

function listSteps(site: AtlassianSite): Step[] {
  const { surroundings } = site;
  const appKey = site.findInstallation("jira")?.app?.key ?? site.findInstallation("confluence")?.app?.key;
  if (appKey === undefined) return [];
  const pageOf = (product: Product, moduleKey: string, query: string) =>
    `${pathOf({ product, appKey, moduleKey })}?${query}`;
  const demo = (text: string): [string, string][] => (surroundings ? [[text, surroundings.demoUrl]] : []);
  return [
    {
      title: "Set the app up",
      text: "Ada administers Confluence, and nothing is set up there yet. She enters what Cloudflare's dashboard would show her, and finishes without linking: that is the next step.",
      ...(surroundings && { details: listValues(surroundings) }),
      links: [["Be Ada in Confluence", pageOf("confluence", "admin", "as=ada")]],
    },
    {
      title: "Link an account",
      text: "Jira is set up already. Linus links his account there: a popup opens, Access asks who he is, and he says yes. If the popup takes him for somebody else, sign out in it, close it and start again.",
      links: [["Be Linus in Jira", pageOf("jira", "account", "as=linus&opener=kept")]],
    },
    {
      title: "See what a tool gets to know",
      text: "The demo service is an internal tool behind Access. Sign in as Linus: it knows his Atlassian account, without a password or token of Jira. Sign out and come back as Oscar: it says what is missing.",
      links: demo("Open the demo service"),
    },
    {
      title: "Keep an eye on it",
      text: "Under Links and Audit log, Ada sees every link and who changed what, and she can take each link back.",
      links: [["Be Ada in Jira", pageOf("jira", "admin", "as=ada")]],
    },
    {
      title: "See what a service may do, and what not",
      text: "A trusted service can act in Jira as its visitor, within the limits that Ada sets and once the visitor has agreed. Every way to be refused is one click, as is every way to get through.",
      links: [
        ["Open every refusal", "/refusals"],
        ["See the issues as Grace", "/issues?as=grace"],
      ],
    },
    ...(surroundings?.examples ? [listExamples(surroundings.examples, pageOf)] : []),
    ...(surroundings?.forgeSite ? [listForge(surroundings.forgeSite)] : []),
    {
      title: "Unlink, and link the hard way",
      text: "Linus removes his link. The demo service still has you signed in as Oscar: sign out there and come back as Linus, and it no longer knows his account. Then he links again, now with a sign-in page that cuts the popup off from Jira, as some do: he types a code instead.",
      links: [
        ["Be Linus and unlink", pageOf("jira", "account", "as=linus")],
        ...demo("Open the demo service again"),
        ["Link with the opener cut", pageOf("jira", "account", "as=linus&opener=cut")],
      ],
    },
  ];
}

/** The programs of `examples/`, as they are. */
function listExamples(
  { myIssuesUrl, buildsUrl, assistantUrl }: Examples,
  pageOf: (product: Product, moduleKey: string, query: string) => string,
): Step {
  return {
    title: "Let tools, builds and assistants work as you",
    text: "Three programs that you can copy from the folder examples are trusted in Jira: a page of your open issues, a build that comments on an issue as whoever started it, and an MCP server, here with a page in the place of an assistant. Sign in to them as Grace: each says that she has to agree first, and where. A page in Jira calls the first of them, too.",
    links: [
      ["Open my issues", myIssuesUrl],
      ["Start a build", buildsUrl],
      ["Open the assistant", assistantUrl],
      ["Call from a page in Jira", "/calling-page?as=grace"],
      ["Be Grace and agree", pageOf("jira", "account", "as=grace")],
    ],
  };
}

/** The same app, let in by the other door. */
function listForge(site: ForgeSite): Step {
  const linkTo = (key: string, person: string) => `${site.url}${site.pathOf(site.getPage(key))}?as=${person}`;
  return {
    title: "Do the same through Forge",
    text: "On another site, the app has come in as a Forge app. Its pages are in a frame that opens no popups: Linus links with a code that a tab shows him. Ada has set it up in Jira; in Confluence she can do it herself.",
    links: [
      ["Be Linus in Jira through Forge", linkTo("jira-account", "linus")],
      ["Be Ada in Jira through Forge", linkTo("jira-admin", "ada")],
      ["Be Ada in Confluence through Forge", linkTo("confluence-admin", "ada")],
    ],
  };
}

function listValues({ team, audiences }: Surroundings): string {
  const values = [
    ["Team domain", team.domain],
    ["AUD tag of this application", audiences.app],
    ["Name of the tool", "Demo service"],
    ["AUD tag of the tool", audiences.demo],
  ] as const;
  const rows = values.map(
    ([name, value]) => `<dt>${escapeHtml(name)}</dt><dd><code>${escapeHtml(value)}</code></dd>`,
  );
  return `<dl>\n${rows.join("\n")}\n</dl>\n`;
}
