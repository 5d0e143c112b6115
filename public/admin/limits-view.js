import { note } from "./admin-parts.js";
import { fold } from "./fold.js";
import { choiceView, describedBy, fieldNotes, linesField, textField, valueOf } from "./form-parts.js";
import { CONSENTS, sayLiveCheck, sayTokenAge } from "./limit-words.js";
import {
  DEFAULT_MAX_TOKEN_AGE_SECONDS,
  findTokenAgeError,
  TOKEN_AGE_CHOICES,
  toLimits,
  toRequests,
} from "./limits-draft.js";
import { nameProduct } from "../parts.js";
import { describeRequests, REQUEST_PRESETS } from "../request-presets.js";
import { isActingService } from "./settings-draft.js";
import { serviceFieldId } from "./settings-errors.js";
import { formatRequest, splitLines } from "./typed-lines.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { Product } from "./admin-parts.js" */
/** @import { LimitsDraft } from "./limits-draft.js" */
/** @import { DraftService } from "./settings-draft.js" */
/** @import { SettingsEditor } from "./settings-editor.js" */

const LIVE_CHECK_CHOICES = [null, 30, 60, 300, 900, 3600];
const OWN_HOURS = "own";

/**
 * What a service is held to that acts, or that people are vouched for to.
 *
 * @param {SettingsEditor} editor
 * @param {DraftService} service
 * @param {{ name: string, product: Product }} about
 */
export function limitsView(editor, service, { name, product }) {
  const { key, limits } = service;
  /** @param {Partial<LimitsDraft>} changes */
  const edit = (changes) => editor.editService(key, { limits: { ...limits, ...changes } });
  /** @param {string} field */
  const fieldOf = (field) => {
    const id = serviceFieldId(key, field);
    return { id, error: editor.findError(id) };
  };
  const before = editor.base.services.find(({ id }) => id === service.id);
  const consent = consentView(limits, product, edit, fieldOf);
  if (!isActingService(service)) return consent;
  return fold({
    title: "Limits",
    ofWhat: name,
    summary: sayLimits(limits, product),
    isOpen: !before || !isActingService(before),
    content: html`${requestsView(limits, product, edit, fieldOf)} ${tokenAgeView(limits, edit, fieldOf)}
    ${linesField({
      ...fieldOf("ipAddresses"),
      label: "Addresses it may call from",
      rows: 2,
      isCode: true,
      value: limits.ipAddresses,
      hint: html`One address or network per line, such as <code>203.0.113.0/24</code> or
        <code>2001:db8::/32</code>. With none, it may call from anywhere.`,
      onInput: (ipAddresses) => edit({ ipAddresses }),
    })}
    ${liveCheckView(limits, edit, fieldOf)} ${consent}`,
  });
}

/** @typedef {(changes: Partial<LimitsDraft>) => void} Edit */
/** @typedef {(field: string) => { id: string, error: string | null }} FieldOf */

/**
 * @param {LimitsDraft} limits
 * @param {Product} product
 */
function sayLimits(limits, product) {
  const deeds = describeRequests(toRequests(limits), product).map(({ words }) => words);
  const count = splitLines(limits.ipAddresses).length;
  return [
    deeds.join("; ") || "nothing is allowed",
    findTokenAgeError(limits) === null
      ? `tokens up to ${sayTokenAge(toLimits(limits, null).maxTokenAgeSeconds)}`
      : null,
    count === 0
      ? "from anywhere"
      : count === 1
        ? "from 1 address or network"
        : `from ${count} addresses or networks`,
    CONSENTS[limits.consent].toLowerCase(),
  ]
    .filter((words) => words !== null)
    .join(" · ");
}

/**
 * @param {LimitsDraft} limits
 * @param {Product} product
 * @param {Edit} edit
 * @param {FieldOf} fieldOf
 */
function requestsView(limits, product, edit, fieldOf) {
  const { id, error } = fieldOf("requests");
  // What the other product's presets allow would otherwise be allowed unseen.
  const presets = Object.values(REQUEST_PRESETS)
    .flat()
    .filter((preset) => REQUEST_PRESETS[product].includes(preset) || limits.presets.includes(preset.id));
  return html`<fieldset>
      <legend>What it may do in ${nameProduct(product)}</legend>
      ${presets.map((preset) =>
        choiceView({
          id: `${id}-${preset.id}`,
          title: preset.label,
          text: preset.requests.map(
            (request) => html`<code class="pattern">${formatRequest(request)}</code>`,
          ),
          isOn: limits.presets.includes(preset.id),
          onChange: (isOn) =>
            edit({
              presets: isOn
                ? [...limits.presets, preset.id]
                : limits.presets.filter((each) => each !== preset.id),
            }),
        }),
      )}
    </fieldset>
    ${linesField({
      id,
      error,
      label: "Other requests",
      rows: 2,
      isCode: true,
      value: limits.otherRequests,
      hint: html`One per line, methods first: <code>GET, PUT /rest/api/3/version/*</code>.
        <code>*</code> stands for one part of the path, <code>/**</code> at the end for everything below.`,
      onInput: (otherRequests) => edit({ otherRequests }),
    })}
    ${
      toRequests(limits).length === 0
        ? note("warning", "Nothing is allowed yet, so every call would be refused.")
        : nothing
    }`;
}

/**
 * @param {LimitsDraft} limits
 * @param {Edit} edit
 * @param {FieldOf} fieldOf
 */
function tokenAgeView({ maxTokenAgeSeconds, maxTokenAgeHours }, edit, fieldOf) {
  const { id, error } = fieldOf("maxTokenAgeSeconds");
  const isOwn = maxTokenAgeHours !== null;
  const selectId = isOwn ? `${id}-choice` : id;
  const chosen = isOwn ? OWN_HOURS : String(maxTokenAgeSeconds ?? DEFAULT_MAX_TOKEN_AGE_SECONDS);
  /** @param {string} value */
  const choose = (value) =>
    value === OWN_HOURS
      ? edit({ maxTokenAgeHours: "" })
      : edit({
          maxTokenAgeHours: null,
          maxTokenAgeSeconds: Number(value) === DEFAULT_MAX_TOKEN_AGE_SECONDS ? null : Number(value),
        });
  return html`${selectView({
    id: selectId,
    label: "How old a person’s token may be",
    chosen,
    choices: [
      ...TOKEN_AGE_CHOICES.map((seconds) => ({
        value: String(seconds),
        words: `${sayTokenAge(seconds)}${seconds === DEFAULT_MAX_TOKEN_AGE_SECONDS ? ", as usual" : ""}`,
      })),
      { value: OWN_HOURS, words: "Another number of hours" },
    ],
    hint: "Counted from when Access made it out. Older than that, it acts for nobody until the person signs in again.",
    error: isOwn ? null : error,
    onChange: choose,
  })}
  ${
    maxTokenAgeHours === null
      ? nothing
      : textField({
          id,
          label: "Hours",
          value: maxTokenAgeHours,
          error,
          onInput: (hours) => edit({ maxTokenAgeHours: hours }),
        })
  }`;
}

/**
 * @param {LimitsDraft} limits
 * @param {Edit} edit
 * @param {FieldOf} fieldOf
 */
function liveCheckView({ liveCheckSeconds }, edit, fieldOf) {
  const choices = LIVE_CHECK_CHOICES.includes(liveCheckSeconds)
    ? LIVE_CHECK_CHOICES
    : [...LIVE_CHECK_CHOICES, liveCheckSeconds];
  return selectView({
    ...fieldOf("liveCheckSeconds"),
    label: "Ask Access whether the person is still signed in",
    chosen: String(liveCheckSeconds ?? ""),
    choices: choices.map((seconds) => ({ value: String(seconds ?? ""), words: sayLiveCheck(seconds) })),
    hint: "When it is off, a token counts until it is too old, even after Access has ended the session. When it is on, nothing is done while Access can’t be asked.",
    onChange: (value) => edit({ liveCheckSeconds: value === "" ? null : Number(value) }),
  });
}

/**
 * @param {LimitsDraft} limits
 * @param {Product} product
 * @param {Edit} edit
 * @param {FieldOf} fieldOf
 */
function consentView({ consent }, product, edit, fieldOf) {
  const { id, error } = fieldOf("consent");
  /** @type {Readonly<Record<LimitsDraft["consent"], string>>} */
  const texts = {
    required: `It acts for nobody who hasn’t agreed on their own page in ${nameProduct(product)}. Once it may do more, they are asked again.`,
    given:
      "Nobody is asked, also when it may do more. It acts for everybody whose link is proved or confirmed. People see it on their own page and can still say no.",
  };
  const ways = /** @type {const} */ (["required", "given"]);
  return html`<fieldset aria-describedby=${describedBy(id, null, error)}>
    <legend>Consent</legend>
    ${ways.map((way) =>
      choiceView({
        type: "radio",
        name: id,
        id: way === "required" ? id : `${id}-${way}`,
        title: CONSENTS[way],
        text: texts[way],
        isOn: consent === way,
        onChange: () => edit({ consent: way }),
      }),
    )}
    ${fieldNotes(id, null, error)}
  </fieldset>`;
}

/**
 * @param {{ id: string, label: string, chosen: string, choices: readonly { value: string, words: string }[], hint: string, error: string | null, onChange: (value: string) => void }} options
 */
function selectView({ id, label, chosen, choices, hint, error, onChange }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select
      id=${id}
      aria-describedby=${describedBy(id, hint, error)}
      @change=${(/** @type {Event} */ event) => onChange(valueOf(event))}
    >
      ${choices.map(
        ({ value, words }) =>
          html`<option value=${value} .selected=${live(value === chosen)}>${words}</option>`,
      )}
    </select>
    ${fieldNotes(id, hint, error)}
  </div>`;
}
