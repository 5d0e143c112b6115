import { focusOn } from "./form-parts.js";
import { isComplete } from "./settings-draft.js";
import { serviceFieldId } from "./settings-errors.js";

/** @import { AdminPage } from "./admin-page.js" */

/** @typedef {1 | 2 | 3} Step */

/** Three steps; which of them are done follows from the settings, so that a reload changes nothing. */
export class FirstRun {
  /** @type {Step | null} Opened by hand; null for the first that isn't done. */
  #opened = null;
  #page;
  /** @type {string} Key of the service to link through. */
  linkKey;
  /** @type {string} Key of a first service that may identify people. */
  toolKey;

  /** @param {AdminPage} page */
  constructor(page) {
    this.#page = page;
    const { editor } = page;
    const { services } = editor.draft;
    const link = services.find(({ purposes }) => purposes.includes("link"));
    this.linkKey =
      link?.key ?? editor.addService({ label: "Linking window", purposes: ["link"], isOptional: true });
    const tool = services.find(({ key }) => key !== this.linkKey);
    this.toolKey = tool?.key ?? editor.addService({ purposes: ["identify"], isOptional: true });
  }

  /** @returns {Step} */
  get openStep() {
    if (this.#opened !== null) return this.#opened;
    const { base } = this.#page.editor;
    if (base.teamDomain === null) return 1;
    return isComplete(base) ? 3 : 2;
  }

  /** @param {Step} step */
  isDone(step) {
    const { base } = this.#page.editor;
    if (step === 1) return base.teamDomain !== null;
    return step === 2 && isComplete(base);
  }

  /** @param {Step} step */
  open(step) {
    this.#opened = step;
    this.#page.draw();
    focusOn(stepHeadingId(step));
  }

  async saveTeam() {
    const { editor } = this.#page;
    if (editor.draft.teamDomain.trim() === "") {
      this.#refuse([{ fieldId: "team-domain", label: "Team domain", text: "Enter your team domain." }]);
      return;
    }
    const isSaved = await this.#save();
    // A team that gives no keys is more likely a slip than a passing failure: it is shown before the next step.
    if (isSaved && editor.teamCheck.result?.ok) this.#goOn();
  }

  /** Past a team whose keys can't be fetched. */
  goOnAnyway() {
    this.#goOn();
  }

  async saveServices() {
    const { editor } = this.#page;
    const { services } = editor.draft;
    const link = services.find(({ key }) => key === this.linkKey);
    const tool = services.find(({ key }) => key === this.toolKey);
    const errors = [];
    if (!link?.audience.trim()) {
      const text = "Enter the AUD tag of the application that protects the linking window.";
      errors.push({ fieldId: serviceFieldId(this.linkKey, "audience"), label: "AUD tag", text });
    }
    if (tool?.label.trim() && !tool.audience.trim()) {
      const text = "Enter its AUD tag, or clear the name to leave the tool for later.";
      errors.push({ fieldId: serviceFieldId(this.toolKey, "audience"), label: "AUD tag of the tool", text });
    }
    if (errors.length > 0) this.#refuse(errors);
    else if (await this.#save()) this.#goOn();
  }

  /** @param {readonly import("./settings-errors.js").PlacedError[]} errors */
  #refuse(errors) {
    this.#page.editor.showErrors(errors);
    focusOn(errors[0]?.fieldId ?? "");
  }

  async #save() {
    const { editor } = this.#page;
    this.#opened = this.openStep;
    const isSaved = await this.#page.save();
    if (isSaved) this.#renew();
    else focusOn(editor.errors.find(({ fieldId }) => fieldId !== null)?.fieldId ?? "conflict");
    return isSaved;
  }

  /** The stored services have ids, and the keys that go with them. */
  #renew() {
    const renewed = new FirstRun(this.#page);
    this.linkKey = renewed.linkKey;
    this.toolKey = renewed.toolKey;
  }

  #goOn() {
    this.#opened = null;
    this.#page.draw();
    focusOn(stepHeadingId(this.openStep));
  }
}

/** @param {Step} step */
export function stepHeadingId(step) {
  return `step-${step}`;
}
