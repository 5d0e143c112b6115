import { ApiError } from "../errors.js";
import { createDraft, createDraftService, isDirty, listSent, toDocument } from "./settings-draft.js";
import { findDraftErrors, placeErrors } from "./settings-errors.js";
import { loadLaterParts } from "./load-later-parts.js";
import { Task } from "./task.js";

/** @import { AccountNames } from "./account-names.js" */
/** @import { Api } from "../api.js" */
/** @import { Draft, DraftService } from "./settings-draft.js" */
/** @import { SettingsConflict } from "./settings-conflict.js" */
/** @import { PlacedError } from "./settings-errors.js" */
/** @import { PopupCheck, Settings, SettingsDraft, TeamCheck } from "../types.js" */

const FEW_SERVICES = 2;

/** The settings as stored, the draft of the form over them, and what saving gave. */
export class SettingsEditor {
  /**
   * What the draft began with; it is what is stored, unless somebody else saved meanwhile.
   *
   * @type {Settings}
   */
  base;
  /** @type {Draft} */
  draft;
  /**
   * What is stored, as far as is known: newer than the base when a pause was put on top of somebody else's change.
   *
   * @type {Settings}
   */
  stored;
  /** @type {readonly PlacedError[]} */
  errors = [];
  /** @type {SettingsConflict | null} */
  conflict = null;
  /** @type {Date | null} */
  savedAt = null;
  /** @type {Task<TeamCheck>} */
  teamCheck;
  /** @type {Task<PopupCheck>} */
  popupCheck;
  /** @type {Task<Settings>} */
  saving;
  /** @type {Task<Settings>} */
  pausing;
  /** @type {Task<Settings>} */
  servicePausing;
  /** @type {string | null} Id of the service that was paused or resumed last. */
  pausedServiceId = null;
  /** Whether there are too many services to show all of each; decided once, so that nothing folds under somebody's hands. */
  isCompact;
  #api;
  #names;
  #onChange;

  /**
   * @param {{ api: Api, names: AccountNames, settings: Settings, onChange: () => void }} parts
   */
  constructor({ api, names, settings, onChange }) {
    this.#api = api;
    this.#names = names;
    this.#onChange = onChange;
    this.base = settings;
    this.draft = createDraft(settings);
    this.stored = settings;
    this.isCompact = settings.services.length > FEW_SERVICES;
    this.teamCheck = new Task(onChange);
    this.popupCheck = new Task(onChange);
    this.saving = new Task(onChange);
    this.pausing = new Task(onChange);
    this.servicePausing = new Task(onChange);
  }

  /** Whether linking and all services are paused. */
  get isPaused() {
    return this.stored.paused;
  }

  /** @param {string | null} serviceId */
  isServicePaused(serviceId) {
    return this.stored.services.find(({ id }) => id === serviceId)?.paused ?? false;
  }

  get isDirty() {
    return isDirty(this.draft, this.base);
  }

  /** @param {Partial<Draft>} changes */
  edit(changes) {
    this.draft = { ...this.draft, ...changes };
    this.savedAt = null;
    if (changes.teamDomain !== undefined) this.teamCheck.clear();
    this.#onChange();
  }

  /**
   * @param {string} key
   * @param {Partial<DraftService>} changes
   */
  editService(key, changes) {
    this.edit({
      services: this.draft.services.map((service) =>
        service.key === key ? { ...service, ...changes } : service,
      ),
    });
  }

  /**
   * One that the form doesn't hold yet comes at its end.
   *
   * @param {DraftService} service
   */
  putService(service) {
    const { services } = this.draft;
    const isThere = services.some(({ key }) => key === service.key);
    this.edit({
      services: isThere
        ? services.map((each) => (each.key === service.key ? service : each))
        : [...services, service],
    });
  }

  /**
   * @param {Parameters<typeof createDraftService>[0]} service
   * @returns {string} its key
   */
  addService(service) {
    const added = createDraftService(service);
    this.edit({ services: [...this.draft.services, added] });
    return added.key;
  }

  /**
   * One that was never saved goes at once; any other can be brought back until it is saved.
   *
   * @param {DraftService} service
   */
  removeService({ key, id }) {
    if (id !== null) this.editService(key, { isRemoved: true });
    else this.edit({ services: this.draft.services.filter((service) => service.key !== key) });
  }

  /** What was offered and not used. */
  dropUnusedOffers() {
    const isUsed = (/** @type {DraftService} */ service) =>
      !service.isOptional || service.audience.trim() !== "";
    this.edit({ services: this.draft.services.filter(isUsed) });
  }

  discard() {
    this.errors = [];
    this.saving.clear();
    this.teamCheck.clear();
    this.edit(createDraft(this.base));
  }

  /** @param {string} fieldId */
  findError(fieldId) {
    const texts = this.errors.filter((error) => error.fieldId === fieldId).map(({ text }) => text);
    return texts.length > 0 ? texts.join(" ") : null;
  }

  /** @param {readonly PlacedError[]} errors */
  showErrors(errors) {
    this.errors = errors;
    this.#onChange();
  }

  async checkTeam() {
    const { teamDomain } = this.draft;
    this.teamCheck.clear();
    await this.teamCheck.run(() => this.#api.checkTeam(teamDomain));
  }

  async checkPopupPath() {
    await this.popupCheck.run(() => this.#api.checkPopupPath());
  }

  /** @returns {Promise<boolean>} whether it was saved */
  async save() {
    const { draft, base } = this;
    const errors = findDraftErrors(draft);
    if (errors.length > 0) {
      this.saving.clear();
      this.showErrors(errors);
      return false;
    }
    const settings = await this.#send(toDocument(draft, base), {
      draft,
      base,
      getMine: () => toDocument(this.draft, base),
    });
    if (!settings) return false;
    if (this.draft === draft) this.#take(settings);
    else this.#rebase(draft, settings);
    this.#onChange();
    return true;
  }

  /** @param {boolean} paused */
  async setPaused(paused) {
    await this.#changeAtOnce(this.pausing, (settings) => ({ ...settings, paused }));
  }

  /**
   * @param {string} serviceId
   * @param {boolean} paused
   */
  async setServicePaused(serviceId, paused) {
    this.pausedServiceId = serviceId;
    await this.#changeAtOnce(this.servicePausing, (settings) => ({
      ...settings,
      services: settings.services.map((service) =>
        service.id === serviceId ? { ...service, paused } : service,
      ),
    }));
  }

  /**
   * At once and whatever the draft holds: it is what one does when something is wrong.
   *
   * @param {Task<Settings>} task
   * @param {(settings: Settings) => Settings} change
   */
  async #changeAtOnce(task, change) {
    const isDone = await task.run(async () => {
      try {
        return await this.#api.saveSettings(change(this.base));
      } catch (error) {
        if (!isConflict(error)) throw error;
        return this.#api.saveSettings(change(await this.#api.getSettings()));
      }
    });
    const settings = task.result;
    if (!isDone || !settings) return;
    this.stored = settings;
    const isOnlyChange = settings.version === this.base.version + 1;
    // A draft over somebody else's older settings stays what it is: saving it shows both.
    if (!this.isDirty) this.#take(settings);
    else if (isOnlyChange) this.base = settings;
    this.#onChange();
  }

  /**
   * What is refused is decided anew, where both sides are in sight.
   *
   * @returns {Promise<boolean>} whether it was saved
   */
  async saveConflict() {
    if (!this.conflict) return false;
    const merged = this.conflict.merge();
    const settings = await this.#send(merged, {
      draft: createDraft(merged),
      base: this.conflict.versions.theirs,
      getMine: () => merged,
    });
    if (settings) {
      this.#take(settings);
      this.conflict = null;
    }
    // The inputs that it is about aren't there now.
    this.errors = this.errors.map((error) => ({ ...error, fieldId: null }));
    this.#onChange();
    return settings !== null;
  }

  takeTheirs() {
    if (!this.conflict) return;
    this.#take(this.conflict.versions.theirs);
    this.conflict = null;
    this.errors = [];
    this.saving.clear();
    this.#onChange();
  }

  /**
   * @param {SettingsDraft} document
   * @param {{ draft: Draft, base: Settings, getMine: () => SettingsDraft }} origin what it was made from, and what
   *   stands against another version by the time that there is one
   * @returns {Promise<Settings | null>} as saved; null when it wasn't
   */
  async #send(document, { draft, base, getMine }) {
    if (this.saving.isBusy) return null;
    this.errors = [];
    this.savedAt = null;
    const isSaved = await this.saving.run(async () => {
      try {
        return await this.#api.saveSettings(document);
      } catch (error) {
        if (isConflict(error)) {
          const { readConflict } = await loadLaterParts();
          this.conflict = await readConflict(this.#api, this.#names, base, getMine);
        }
        throw error;
      }
    });
    const { result: settings, error } = this.saving;
    if (isSaved && settings) {
      this.savedAt = new Date();
      return settings;
    }
    if (this.conflict && isConflict(error)) this.saving.clear();
    if (error instanceof ApiError) this.errors = placeErrors(error.problem, draft, base);
    this.#onChange();
    return null;
  }

  /**
   * Somebody went on typing while it was saved: that stays, over what is stored now.
   *
   * @param {Draft} sent
   * @param {Settings} settings
   */
  #rebase(sent, settings) {
    const ids = new Map(listSent(sent).map(({ key }, index) => [key, settings.services[index]?.id ?? null]));
    this.base = settings;
    this.stored = settings;
    this.draft = {
      ...this.draft,
      services: this.draft.services.map((service) => {
        const id = ids.get(service.key) ?? service.id;
        return { ...service, id, isOptional: service.isOptional && id === null };
      }),
    };
  }

  /** @param {Settings} settings */
  #take(settings) {
    this.base = settings;
    this.draft = createDraft(settings);
    this.stored = settings;
  }
}

/** @param {unknown} error */
function isConflict(error) {
  return error instanceof ApiError && error.problem.code === "version_conflict";
}
