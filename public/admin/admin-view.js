import { adminProblem } from "./admin-parts.js";
import { firstRunView } from "./first-run-view.js";
import { nameProduct, waiting } from "../parts.js";
import { predecessorView } from "./predecessor-view.js";
import { settingsView } from "./settings-view.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage, LaterParts, Section } from "./admin-page.js" */

/** @param {AdminPage} page */
export function adminView(page) {
  return html`<h1 id="title" tabindex="-1">Cloudflare Access</h1>
    <p class="lead">
      People link who they are in Cloudflare Access with who they are in ${nameProduct(page.product)}. You
      decide which services may ask, and what they may do.
    </p>
    ${predecessorView(page)} ${navigationView(page)}
    <div class="panel">${sectionView(page)}</div>`;
}

/** @param {AdminPage} page */
function navigationView(page) {
  /** @type {readonly [Section, string][]} */
  const sections = [
    ["settings", page.firstRun ? "Set-up" : "Settings"],
    ["links", "Links"],
    ["audit", "Audit log"],
  ];
  return html`<nav class="sections" aria-label="Sections">
    ${sections.map(
      ([section, label]) =>
        html`<button
          type="button"
          aria-current=${page.section === section ? "page" : nothing}
          @click=${() => page.show(section)}
        >
          ${label}
        </button>`,
    )}
  </nav>`;
}

/** @param {AdminPage} page */
function sectionView(page) {
  switch (page.section) {
    case "settings":
      return settingsSectionView(page);
    case "links":
      return laterView(page, ({ linkListView }) => linkListView(page));
    case "audit":
      return laterView(page, ({ auditListView }) => auditListView(page));
  }
}

/**
 * @param {AdminPage} page
 * @param {(parts: LaterParts) => unknown} view
 */
function laterView({ later, product }, view) {
  if (later.result) return view(later.result);
  // Browsers may remember that a script didn't come, for as long as the page is there.
  return later.error
    ? adminProblem(later.error, { product, retry: () => location.reload() })
    : waiting("Loading …");
}

/** @param {AdminPage} page */
function settingsSectionView(page) {
  const { loading, product } = page;
  if (loading.error) return adminProblem(loading.error, { product, retry: () => void page.load() });
  if (!page.isReady) return waiting("Loading the settings …");
  const { conflict } = page.editor;
  if (conflict) return laterView(page, ({ conflictView }) => conflictView(page, conflict));
  return page.firstRun ? firstRunView(page, page.firstRun) : settingsView(page);
}
