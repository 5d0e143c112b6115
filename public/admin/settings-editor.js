import { ApiError } from "../errors.js";
import { createDraft, createDraftService, isDirty, listSent, toDocument } from "./settings-draft.js";
import { placeErrors } from "./settings-errors.js";
import { readConflict } from "./settings-conflict.js";
import { Task } from "./task.js";

/** @import { AccountNames } from "./account-names.js" */
/** @import { Api } from "../api.js" */
/** @import { Draft, DraftService } from "./settings-draft.js" */
/** @import { SettingsConflict } from "./settings-conflict.js" */
/** @import { PlacedError } from "./settings-errors.js" */
/** @import { PopupPathCheck, Settings, SettingsDraft, TeamCheck } from "../types.js" */

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
  /** Whether linking is paused, as far as is known. */
  isPaused;
  /** @type {readonly PlacedError[]} */
  errors = [];
  /** @type {SettingsConflict | null} */
  conflict = null;
  /** @type {Date | null} */
  savedAt = null;
  /** @type {Task<TeamCheck>} */
  teamCheck;
  /** @type {Task<PopupPathCheck>} */
  popupCheck;
  /** @type {Task<Settings>} */
  saving;
  /** @type {Task<Settings>} */
  pausing;
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
    this.isPaused = settings.paused;
    this.teamCheck = new Task(onChange);
    this.popupCheck = new Task(onChange);
    this.saving = new Task(onChange);
    this.pausing = new Task(onChange);
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
    return this.errors.find((error) => error.fieldId === fieldId)?.text ?? null;
  }

  /** @param {readonly PlacedError[]} errors */
  showErrors(errors) {
    this.errors = errors;
    this.#onChange();
  }

  async checkTeam() {
    const { teamDomain } = this.draft;
    await this.teamCheck.run(() => this.#api.checkTeam(teamDomain));
  }

  async checkPopupPath() {
    await this.popupCheck.run(() => this.#api.checkPopupPath());
  }

  /** @returns {Promise<boolean>} whether it was saved */
  async save() {
    return this.#send(toDocument(this.draft, this.base), this.draft);
  }

  /**
   * At once and whatever the draft holds: it is what one does when something is wrong.
   *
   * @param {boolean} paused
   */
  async setPaused(paused) {
    const isDone = await this.pausing.run(async () => {
      try {
        return await this.#api.saveSettings({ ...this.base, paused });
      } catch (error) {
        if (!isConflict(error)) throw error;
        return this.#api.saveSettings({ ...(await this.#api.getSettings()), paused });
      }
    });
    const settings = this.pausing.result;
    if (!isDone || !settings) return;
    this.isPaused = settings.paused;
    const isOnlyChange = settings.version === this.base.version + 1;
    // A draft over somebody else's older settings stays what it is: saving it shows both.
    if (!this.isDirty) this.#take(settings);
    else if (isOnlyChange) this.base = settings;
    this.#onChange();
  }

  /** @returns {Promise<boolean>} */
  async saveConflict() {
    if (!this.conflict) return false;
    const { versions } = this.conflict;
    const merged = this.conflict.merge();
    // From here on it is an ordinary draft over what they saved, with what was chosen of what the form doesn't show.
    this.base = { ...versions.theirs, paused: merged.paused, matching: merged.matching };
    this.isPaused = versions.theirs.paused;
    this.draft = createDraft(merged);
    const isSaved = await this.#send(merged, this.draft);
    if (isSaved || this.errors.length > 0) this.conflict = null;
    this.#onChange();
    return isSaved;
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
   * @param {Draft} draft that it was made from
   */
  async #send(document, draft) {
    if (this.saving.isBusy) return false;
    this.errors = [];
    this.savedAt = null;
    const isSaved = await this.saving.run(async () => {
      try {
        return await this.#api.saveSettings(document);
      } catch (error) {
        if (isConflict(error))
          this.conflict = await readConflict(this.#api, this.#names, { base: this.base, mine: document });
        throw error;
      }
    });
    const { result: settings, error } = this.saving;
    if (isSaved && settings) {
      if (this.draft === draft) this.#take(settings);
      else this.#rebase(draft, settings);
      this.savedAt = new Date();
      this.#onChange();
      if (settings.teamDomain !== null) await this.checkTeam();
      return true;
    }
    if (this.conflict && isConflict(error)) this.saving.clear();
    if (error instanceof ApiError) this.errors = placeErrors(error.problem, draft, this.base);
    this.#onChange();
    return false;
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
    this.draft = {
      ...this.draft,
      services: this.draft.services.map((service) => ({
        ...service,
        id: ids.get(service.key) ?? service.id,
      })),
    };
  }

  /** @param {Settings} settings */
  #take(settings) {
    this.base = settings;
    this.draft = createDraft(settings);
    this.isPaused = settings.paused;
  }
}

/** @param {unknown} error */
function isConflict(error) {
  return error instanceof ApiError && error.problem.code === "version_conflict";
}
