import { ApiError } from "../errors.js";
import { message } from "../parts.js";
import { serviceCard } from "./service-view.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AccountActions, AccountState } from "./account-page.js" */
/** @import { Me } from "../types.js" */

/**
 * @typedef {object} ServicesParts
 * @property {AccountActions} actions
 * @property {"jira" | "confluence"} product
 * @property {string} productName
 */

/**
 * The services that may act for whoever looks, each with what it may do and what they decided.
 *
 * @param {AccountState & { me: Me }} state
 * @param {ServicesParts} parts
 */
export function servicesView({ me, deciding, arrival }, { actions, product, productName }) {
  const isGone = deciding?.error instanceof ApiError && deciding.error.problem.code === "not_found";
  return html`<section class="part" aria-labelledby="services">
    <h2 id="services">Tools that act for you</h2>
    <p>
      With your consent, a tool may do things in ${productName} as you, within the limits that an admin has
      set. When you withdraw it, that counts at once.
    </p>
    ${isGone ? goneMessage(productName) : nothing}
    ${arrival?.kind === "service" && !arrival.isThere ? missingMessage(me, productName) : nothing}
    ${me.services.length > 0 ? obstacle(me, productName) : nothing}
    ${
      me.services.length === 0
        ? empty(me, productName)
        : html`<ul class="services">
            ${repeat(
              me.services,
              ({ serviceId }) => serviceId,
              (service) =>
                serviceCard(service, {
                  actions,
                  deciding: deciding?.serviceId === service.serviceId ? deciding : null,
                  isArrival: arrival?.kind === "service" && arrival.id === service.serviceId,
                  product,
                  productName,
                }),
            )}
          </ul>`
    }
  </section>`;
}

/** @param {string} productName */
function goneMessage(productName) {
  return html`<div tabindex="-1" data-gone>
    ${message({
      tone: "info",
      title: "This tool was taken off the list",
      text: `An admin has just done that: it can’t act in ${productName} any more, so there is nothing to decide.`,
    })}
  </div>`;
}

/**
 * @param {Me} me
 * @param {string} productName
 */
function missingMessage({ services, linking: { available } }, productName) {
  const isKnown = available || services.length > 0;
  return html`<div tabindex="-1" data-arrival>
    ${message(
      isKnown
        ? {
            tone: "info",
            title: "The tool that you were sent here for is no longer on the list",
            text: `It can’t act in ${productName} any more, so there is nothing to decide. If you still need it, ask whoever administers ${productName}.`,
          }
        : {
            tone: "info",
            title: "The tool that you were sent here for can’t be shown right now",
            text: "Come back when linking is possible again.",
          },
    )}
  </div>`;
}

/**
 * What keeps all of them from acting, whatever was decided.
 *
 * @param {Me} me
 * @param {string} productName
 */
function obstacle({ paused, links }, productName) {
  if (paused) {
    return message({
      tone: "warning",
      title: "No tool can act right now",
      text: `An admin has paused the app in ${productName}. What you decide counts when it goes on.`,
    });
  }
  if (links.length === 0) {
    return message({
      tone: "info",
      title: "Link your Access identity first",
      text: "You can decide here already. Tools can act for you once you are linked.",
    });
  }
  if (links.every(({ standing }) => standing === "unconfirmed" || standing === "lapsed")) {
    return message({
      tone: "warning",
      title: "No tool can act for you yet",
      text: "See above what your link needs first.",
    });
  }
  return nothing;
}

/**
 * @param {Me} me
 * @param {string} productName
 */
function empty({ linking: { available } }, productName) {
  return html`<div class="card is-empty">
    <p class="who">No tools ${available ? "" : "right now"}</p>
    <p class="subtle">
      When an admin lets a tool act for people in ${productName}, it stands here and asks for your consent.
    </p>
  </div>`;
}
