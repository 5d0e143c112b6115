import { linkCard } from "./account-link-view.js";
import { activityView } from "./activity-view.js";
import { linkingView } from "../linking/linking-view.js";
import { newsView } from "./news-view.js";
import { message, nameProduct, problemMessage, waiting } from "../parts.js";
import { servicesView } from "./services-view.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AccountActions, AccountState } from "./account-page.js" */
/** @import { Linking } from "../linking/linking.js" */
/** @import { Link, Me } from "../types.js" */

/**
 * @typedef {object} AccountParts
 * @property {AccountActions} actions
 * @property {Linking} linking
 * @property {"jira" | "confluence"} product
 */

/**
 * @param {AccountState} state
 * @param {AccountParts} parts
 */
export function accountView(state, { actions, linking, product }) {
  const productName = nameProduct(product);
  return html`<h1>Cloudflare Access</h1>
    <p class="lead">
      Your company’s tools behind Cloudflare Access know you by your Access identity, and ${productName} knows
      you by your account. Link the two once, and the tools that your admins trust can tell who you are in
      ${productName}. They can act there as you if you agree, or if an admin agrees for everybody; you can
      always say no.
    </p>
    ${content(state, { actions, linking, product }, productName)}`;
}

/**
 * @param {AccountState} state
 * @param {AccountParts} parts
 * @param {string} productName
 */
function content(state, { actions, linking, product }, productName) {
  const { me, error, news, arrival, linkWork, unlinked, activity } = state;
  if (error) return problemMessage(error, { retry: () => void actions.load() });
  if (!me) return html`<div aria-busy="true">${waiting("Loading …")}</div>`;
  return html`${newsView(news, productName)}
    ${arrival?.kind === "link" && !arrival.isThere ? missingLink() : nothing}
    <div class="sides">
      ${ownCard(me, productName)}
      ${
        me.links.length > 0
          ? html`<section class="side" aria-labelledby="access-side">
              <h2 id="access-side">You in Cloudflare Access</h2>
              ${repeat(
                me.links,
                ({ id }) => id,
                (link) =>
                  linkCard(link, {
                    actions,
                    work: linkWork?.linkId === link.id ? linkWork : null,
                    isArrival: arrival?.kind === "link" && arrival.id === link.id,
                    proveAgain: me.linking.available ? () => void linking.start() : null,
                    productName,
                  }),
              )}
            </section>`
          : nobodyCard()
      }
    </div>
    ${unlinked ? unlinkedMessage(unlinked) : nothing} ${linkingPart(me, linking, productName)}
    ${me.signOutUrl ? signOut(me.signOutUrl) : nothing}
    ${servicesView({ ...state, me }, { actions, product, productName })}
    ${activityView(activity, { actions: actions.activity, product, productName })}`;
}

function missingLink() {
  return html`<div tabindex="-1" data-arrival>
    ${message({
      tone: "info",
      title: "The link that you were sent here for is no longer there",
      text: "Somebody has unlinked it. You can link again below.",
    })}
  </div>`;
}

/**
 * @param {Me} me
 * @param {string} productName
 */
function ownCard({ displayName, accountId, site }, productName) {
  return html`<section class="side" aria-labelledby="own-side">
    <h2 id="own-side">You in ${productName}</h2>
    <div class="card">
      <p class="who"><bdi>${displayName ?? "Your account"}</bdi></p>
      <p class="subtle">${site}</p>
      <p class="subtle">
        <small>Account id <span class="mono">${accountId}</span></small>
      </p>
    </div>
  </section>`;
}

function nobodyCard() {
  return html`<section class="side" aria-labelledby="access-side">
    <h2 id="access-side">You in Cloudflare Access</h2>
    <div class="card is-empty">
      <p class="who">Not linked</p>
      <p class="subtle">You see who you are in Access when you link, before anything is changed.</p>
    </div>
  </section>`;
}

/** @param {Link} link */
function unlinkedMessage({ email }) {
  return html`<div tabindex="-1" data-unlinked>
    ${message({
      tone: "success",
      title: "Unlinked",
      text: html`<strong><bdi>${email}</bdi></strong> is no longer linked to your account. You can link again
        at any time.`,
    })}
  </div>`;
}

/**
 * @param {Me} me
 * @param {Linking} linking
 * @param {string} productName
 */
function linkingPart({ links, linking: { available, reason } }, linking, productName) {
  if (!available && linking.state.phase === "idle") {
    return message({
      tone: "info",
      title: links.length > 0 ? "No more identities can be linked right now" : "You can’t link right now",
      text: `${reason ?? ""} ${links.length > 0 ? "What is linked stays linked. " : ""}Ask whoever administers ${productName}.`,
    });
  }
  const isFirst = links.length === 0;
  const label = isFirst ? "Link my Access identity" : "Link another Access identity";
  return linkingView(linking, { product: productName, label, isPrimary: isFirst });
}

/** @param {string} url */
function signOut(url) {
  return html`<section class="sign-out">
    <h2>Signed in to Access as somebody else?</h2>
    <p>
      The window links whoever is signed in to Cloudflare Access in this browser. If that isn’t you, sign out
      of Access first; then link, and sign in as yourself.
    </p>
    <p>
      <a href=${url} target="_blank" rel="noopener"
        >Sign out of Access<span class="visually-hidden"> (opens a new window)</span></a
      >
    </p>
  </section>`;
}
