import { findDifferences, mergeSettings } from "./settings-merge.js";

/** @import { AccountNames } from "./account-names.js" */
/** @import { Api } from "../api.js" */
/** @import { Difference, Side, Versions } from "./settings-merge.js" */
/** @import { AuditEvent, Settings, SettingsDraft } from "../types.js" */

/** Two admins changed the settings at once: what differs, and what was chosen. */
export class SettingsConflict {
  /** @type {readonly Difference[]} */
  differences;
  /** @type {ReadonlyMap<string, Side>} */
  #choices = new Map();

  /**
   * @param {Versions} versions
   * @param {AuditEvent | null} event that tells of their change
   */
  constructor(versions, event) {
    this.versions = versions;
    this.event = event;
    this.differences = findDifferences(versions);
  }

  /** @param {Difference} difference */
  sideOf({ key, suggestion }) {
    return this.#choices.get(key) ?? suggestion;
  }

  /**
   * @param {Difference} difference
   * @param {Side} side
   */
  choose({ key }, side) {
    this.#choices = new Map([...this.#choices, [key, side]]);
  }

  merge() {
    return mergeSettings(this.versions, this.#choices);
  }
}

/**
 * What is stored now, and who stored it.
 *
 * @param {Api} api
 * @param {AccountNames} names
 * @param {Settings} base
 * @param {() => SettingsDraft} getMine asked last, as typing goes on meanwhile
 */
export async function readConflict(api, names, base, getMine) {
  const theirs = await api.getSettings();
  const {
    items: [event],
  } = await api.listAudit({ action: "settings.changed", limit: 1 });
  if (event?.actor.accountId) await names.load([event.actor.accountId]);
  return new SettingsConflict({ base, mine: getMine(), theirs }, event ?? null);
}
