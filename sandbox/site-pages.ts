import { PRODUCTS } from "../src/tenants/tenant.js";
import type { AppFrame, AppPlace } from "./app-frame.js";
import type { AtlassianSite } from "./atlassian-site.js";
import type { Product } from "../src/tenants/tenant.js";
import { escapeHtml } from "./html.js";
import { firstName, nickname } from "./people.js";
import { productName } from "../src/web/product-name.js";
import { THEMES, type Choices } from "./site-choices.js";

/** A page of the product with the app's in a frame. */
export function hostPage(
  site: AtlassianSite,
  choices: Choices,
  place: AppPlace,
  { title, extension }: AppFrame,
): string {
  const { product } = place;
  const data = {
    product,
    person: choices.person.accountId,
    "context-path": new URL(site.baseUrl(product)).pathname.replace(/\/$/, ""),
    title,
    extension: JSON.stringify(extension),
  };
  const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${escapeHtml(value)}"`);
  return sitePage(site, choices, {
    title: `${title} - ${productName(product)}`,
    place: asPlaceOfPage(place),
    body: `${productHeader(choices, place)}
<main class="app" id="app"${attributes.join("")}>
<noscript><p>The frame for the app's page is made by a script.</p></noscript>
</main>`,
    scripts: ["/connect/jquery.js", "/sandbox/ajs.js", "/connect/connect-host.js"],
  });
}

/** Instead of a page of an app that isn't there. */
export function missingPage(site: AtlassianSite, choices: Choices, place: AppPlace): string {
  const product = productName(place.product);
  const isInstalled = site.findInstallation(place.product)?.app?.key === place.appKey;
  const [title, text] = isInstalled
    ? ["This page doesn't exist", "The app is installed, but has no page of this name."]
    : [`The app isn't installed in ${product}`, `An admin of ${product} has to install it first.`];
  return sitePage(site, choices, {
    title,
    place: asPlaceOfPage(place),
    body: `${productHeader(choices, place)}
<main class="paper">
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
<p><a href="/">Back to the first screen</a></p>
</main>`,
  });
}

/** As much of a site as the frame around its pages shows. */
type ShownSite = Pick<AtlassianSite, "people" | "surroundings">;

/** Where a page is, and where the same is in the other product. */
interface PlaceOfPage {
  readonly product: Product;
  readonly findPath: (product: Product) => string;
  /** By which way the app got there, where that isn't the usual one. */
  readonly door?: string;
}

interface SitePage {
  readonly title: string;
  /** None for pages that are of no product. */
  readonly place?: PlaceOfPage;
  readonly body: string;
  readonly scripts?: readonly string[];
}

/** With the bar that belongs to the sandbox, not to what it imitates. */
export function sitePage(
  site: ShownSite,
  choices: Choices,
  { title, place, body, scripts = [] }: SitePage,
): string {
  const scriptTags = [...scripts, "/sandbox/host-page.js"].map(
    (url) => `<script src="${url}" defer></script>`,
  );
  return `<!doctype html>
<html lang="en" data-theme="dark:dark light:light spacing:spacing" data-color-mode="${choices.theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/connect/connect-host.css">
<link rel="stylesheet" href="/sandbox/sandbox.css">
${scriptTags.join("\n")}
</head>
<body>
${sandboxBar(site, choices, place)}
${body}
</body>
</html>
`;
}

export function pathOf({ product, appKey, moduleKey }: AppPlace): string {
  const servlet = `/plugins/servlet/ac/${encodeURIComponent(appKey)}/${encodeURIComponent(moduleKey)}`;
  return product === "jira" ? servlet : `/wiki${servlet}`;
}

function asPlaceOfPage(place: AppPlace): PlaceOfPage {
  return { product: place.product, findPath: (product) => pathOf({ ...place, product }) };
}

export interface Link {
  readonly href: string;
  readonly text: string;
  readonly isCurrent: boolean;
  readonly attributes?: string;
}

function sandboxBar(site: ShownSite, { person, theme }: Choices, place: PlaceOfPage | undefined): string {
  const people = site.people.map((each) => ({
    href: `?as=${encodeURIComponent(nickname(each))}`,
    text: firstName(each),
    isCurrent: each === person,
  }));
  const products = PRODUCTS.map((product) => ({
    href: place?.findPath(product) ?? "/",
    text: productName(product),
    isCurrent: product === place?.product,
  }));
  const themes = THEMES.map((each) => ({
    href: `?theme=${each}`,
    text: each === "light" ? "Light" : "Dark",
    isCurrent: each === theme,
    attributes: ` data-theme="${each}"`,
  }));
  const isCut = site.surroundings?.team.cutsOpeners ?? false;
  const openers = ["kept", "cut"].map((each) => ({
    href: `?opener=${each}`,
    text: each === "kept" ? "Kept" : "Cut",
    isCurrent: (each === "cut") === isCut,
  }));
  return `<aside class="bar" aria-label="Sandbox">
<a class="home" href="/">Sandbox</a>
${[
  switchOf("You are", people),
  ...(place ? [switchOf(place.door ? `${place.door}, in` : "in", products, "Product")] : []),
  switchOf("Colours", themes),
  ...(site.surroundings ? [switchOf("Popup's opener", openers)] : []),
].join("\n")}
</aside>`;
}

function switchOf(label: string, links: readonly Link[], name = label): string {
  return `<nav class="switch" aria-label="${escapeHtml(name)}">
<span>${escapeHtml(label)}</span>
${links.map(anchor).join("\n")}
</nav>`;
}

/** Where somebody is in a product: on a page of the app, if it is installed, or on one of the product's own. */
type ProductPlace = Pick<AppPlace, "product"> & {
  readonly appKey: string | null;
  readonly moduleKey: string | null;
};

export function productHeader(choices: Choices, { product, appKey, moduleKey }: ProductPlace): string {
  const isAdmin = choices.person.administers.includes(product);
  const pages = [
    { key: "account", text: "Cloudflare Access" },
    // The app's own display condition; its server must not rely on it.
    ...(isAdmin ? [{ key: "admin", text: "Administration" }] : []),
  ];
  const links: Link[] = [
    ...(product === "jira" ? [{ href: "/issues", text: "Issues", isCurrent: moduleKey === null }] : []),
    ...pages.flatMap(({ key, text }) =>
      appKey === null
        ? []
        : [{ href: pathOf({ product, appKey, moduleKey: key }), text, isCurrent: key === moduleKey }],
    ),
  ];
  return headerWith(choices, product, links);
}

export function headerWith({ person }: Choices, product: Product, links: readonly Link[]): string {
  return `<header class="product ${product}">
<strong>${productName(product)}</strong>
<nav aria-label="${productName(product)}">
${links.map(anchor).join("\n")}
</nav>
<span class="person">${escapeHtml(person.name)}, ${person.administers.includes(product) ? "admin" : "member"}</span>
</header>`;
}

function anchor({ href, text, isCurrent, attributes = "" }: Link): string {
  const current = isCurrent ? ` aria-current="true"` : "";
  return `<a href="${escapeHtml(href)}"${attributes}${current}>${escapeHtml(text)}</a>`;
}
