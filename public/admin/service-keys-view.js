import { adminProblem, note } from "./admin-parts.js";
import { fold, loadingFold } from "./fold.js";
import { keepKeyId, keysHeadingId, newKeyId, removeKeyId } from "./service-keys.js";
import { button, moment } from "../parts.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { NewServiceKey, UsedServiceKey } from "../types.js" */

const MAX_KEYS = 2;

/**
 * What says that it really is the service (security rule 17).
 *
 * @param {AdminPage} page
 * @param {string} serviceId
 * @param {string} name
 */
export function serviceKeysView({ overviews, serviceKeys, product }, serviceId, name) {
  const overview = overviews.find(serviceId);
  if (!overview) return overviews.loading.isBusy ? loadingFold("Service key", name) : nothing;
  const { keys } = overview;
  const { made, working } = serviceKeys;
  const isMine = serviceKeys.serviceId === serviceId;
  return fold({
    title: "Service key",
    ofWhat: name,
    id: keysHeadingId(serviceId),
    summary: keys.length === 0 ? "none" : `ending in ${keys.map(({ hint }) => hint).join(" and ")}`,
    content: html`${
      keys.length === 0
        ? html`<p>
            A key shows that a call really comes from this service. Once there is one, calls without it are
            refused at once, so have the service ready to send it.
          </p>`
        : html`<ul class="keys">
            ${keys.map((key) => html`<li>${keyView(serviceKeys, serviceId, key, keys.length)}</li>`)}
          </ul>`
    }
    ${made?.serviceId === serviceId ? newKeyView(serviceKeys, made.key) : nothing}
    ${isMine && working.error ? adminProblem(working.error, { product }) : nothing}
    ${
      keys.length < MAX_KEYS && made?.serviceId !== serviceId
        ? html`${keys.length === 1 ? html`<p class="hint">To replace the key without a gap, create a second one, let the service send it, then remove the first.</p>` : nothing}
            <div class="actions">
              ${button({
                label: html`${keys.length === 0 ? "Create a key" : "Create a second key"}<span
                    class="visually-hidden"
                  >
                    for ${name}</span
                  >`,
                busyLabel: "Creating …",
                isBusy: isMine && working.isBusy && serviceKeys.askedKeyId === null,
                onClick: () => void serviceKeys.create(serviceId),
              })}
            </div>`
        : nothing
    }`,
  });
}

/**
 * @param {AdminPage["serviceKeys"]} serviceKeys
 * @param {string} serviceId
 * @param {UsedServiceKey} key
 * @param {number} count
 */
function keyView(serviceKeys, serviceId, key, count) {
  const { askedKeyId, working } = serviceKeys;
  const about = html`<span
    >Ending in <strong class="mono">${key.hint}</strong>, created on ${moment(key.createdAt)},
    ${key.lastUsedAt === null ? "not used yet" : html`last used on ${moment(key.lastUsedAt)}`}</span
  >`;
  if (askedKeyId !== key.id) {
    return html`${about}
      <button type="button" id=${removeKeyId(key.id)} @click=${() => serviceKeys.ask(key)}>
        Remove<span class="visually-hidden"> the key ending in ${key.hint}</span>
      </button>`;
  }
  return html`${about}
    <div class="question">
      <p>
        ${
          count === 1
            ? "It is the only key. Without one, calls are no longer checked for a key, and anybody who holds a person’s token may make them."
            : "Calls with this key are refused at once."
        }
      </p>
      <div class="actions">
        ${button({
          label: "Remove this key",
          busyLabel: "Removing …",
          kind: "danger",
          isBusy: working.isBusy,
          onClick: () => void serviceKeys.remove(serviceId, key),
        })}
        <button type="button" id=${keepKeyId(key.id)} @click=${() => serviceKeys.keep()}>Keep it</button>
      </div>
    </div>`;
}

/**
 * @param {AdminPage["serviceKeys"]} serviceKeys
 * @param {NewServiceKey} key
 */
function newKeyView(serviceKeys, { key }) {
  const id = newKeyId(serviceKeys.made?.serviceId ?? "");
  const { copied } = serviceKeys;
  return html`<div class="message success">
    <div class="field">
      <label for=${id}>The new key</label>
      <div class="line">
        <input type="text" id=${id} class="mono" readonly aria-describedby="${id}-hint" .value=${key} />
        ${button({ label: "Copy", onClick: () => serviceKeys.copy() })}
      </div>
      <p class="hint" id="${id}-hint">
        It is shown only now. Store it where the service keeps its secrets. The service sends it with every
        call, in the header <code>X-Service-Key</code>. Calls without it are refused from now on.
      </p>
      <div role="status">${copied ? copiedView(copied) : nothing}</div>
    </div>
    <div class="actions">${button({ label: "I have stored it", onClick: () => serviceKeys.forget() })}</div>
  </div>`;
}

/** @param {"copied" | "selected"} copied */
function copiedView(copied) {
  return copied === "copied"
    ? note("success", "Copied.")
    : note("info", "It is selected. Press Ctrl+C, or ⌘C on a Mac, to copy it.");
}
