import type { Product } from "../src/tenants/tenant.js";
import { productName } from "../src/web/product-name.js";
import { findAsset } from "./connect-assets.js";
import type { ForgePage } from "./forge-manifest.js";
import type { ForgeSite } from "./forge-site.js";
import { escapeHtml } from "./html.js";
import { html, json, redirect, type Answer, type Incoming } from "./http-server.js";
import { readChoices, withChoices, type Choices } from "./site-choices.js";
import { headerWith, sitePage, type Link } from "./site-pages.js";

/** What Forge lets a framed page do. It opens no windows, and doesn't lead the product's page away. */
const SANDBOX = [
  "allow-downloads",
  "allow-forms",
  "allow-modals",
  "allow-pointer-lock",
  "allow-same-origin",
  "allow-scripts",
].join(" ");

/** What a site is to people whose app came through Forge: the products' pages around the app's. */
export function addForgeFrontend(site: ForgeSite): void {
  site.server.routes.push(
    ["GET", /^\/$/, () => redirect(site.homeUrl ?? site.pathOf(site.getPage("jira-account")))],
    ["GET", /^\/(?:jira|wiki)\//, (request) => showHostPage(site, request)],
    ["POST", /^\/sandbox\/invoke\/([\w-]+)$/, (request, [, key = ""]) => relayCall(site, request, key)],
    [
      "GET",
      /^\/(connect|sandbox)\//,
      ({ url }) => findAsset(url.pathname, site.url) ?? json(404, { message: "There is no such file." }),
    ],
  );
}

function showHostPage(site: ForgeSite, request: Incoming): Answer {
  const page = site.deployment.pages.find((each) => site.pathOf(each) === request.url.pathname);
  if (!page) return json(404, { message: "There is nothing here." });
  const choices = readChoices(request, site.people);
  const isThere = site.products.includes(page.product);
  return withChoices(html(isThere ? 200 : 404, hostPage(site, choices, page, isThere)), request, choices);
}

/** A page of the product with the app's in a frame, which its script makes. */
function hostPage(site: ForgeSite, choices: Choices, page: ForgePage, isThere: boolean): string {
  const { product, title } = page;
  const { url, appUrl } = site.deployment;
  const data = {
    person: choices.person.accountId,
    title,
    src: `${url}/${page.resource}/index.html`,
    sandbox: SANDBOX,
    module: page.key,
    context: JSON.stringify(site.describeContext(page, choices.person)),
    remote: new URL(appUrl).origin,
  };
  const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${escapeHtml(value)}"`);
  const main = isThere
    ? `<main class="app" id="forge-app"${attributes.join("")}>
<noscript><p>The frame for the app's page is made by a script.</p></noscript>
</main>`
    : `<main class="paper">
<h1>The app isn't installed in ${productName(product)}</h1>
<p><a href="/">Back to the first screen</a></p>
</main>`;
  return sitePage(site, choices, {
    title: `${title} - ${productName(product)} through Forge`,
    place: {
      product,
      findPath: (other) => site.pathOf(findSamePage(site, page, other)),
      door: "through Forge",
    },
    body: `${headerWith(choices, product, listLinks(site, choices, page))}\n${main}`,
    scripts: ["/sandbox/forge-host-page.js"],
  });
}

function findSamePage(site: ForgeSite, { key, product }: ForgePage, other: Product): ForgePage {
  return site.getPage(key.replace(product, other));
}

function listLinks(site: ForgeSite, { person }: Choices, { key, product }: ForgePage): Link[] {
  const pages = [
    { key: `${product}-account`, text: "Cloudflare Access" },
    // The product shows it to its admins alone; the app's server must not rely on that.
    ...(person.administers.includes(product) ? [{ key: `${product}-admin`, text: "Administration" }] : []),
  ];
  return pages.map((each) => ({
    href: site.pathOf(site.getPage(each.key)),
    text: each.text,
    isCurrent: each.key === key,
  }));
}

/** For the host page's script, which says whose page it is: another window may have chosen somebody else since. */
async function relayCall(site: ForgeSite, request: Incoming, key: string): Promise<Answer> {
  const person = site.findVisitor(request);
  if (!person) return json(401, { error: "Nobody is signed in." });
  try {
    return json(200, { value: await site.invoke(site.getPage(key), person, JSON.parse(request.body)) });
  } catch (error) {
    return json(200, { error: error instanceof Error ? error.message : String(error) });
  }
}
