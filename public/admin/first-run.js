import { focusOn } from "./form-parts.js";
import { createDraftService, isComplete, isLinkService } from "./settings-draft.js";
import { serviceFieldId, TEAM_DOMAIN_FIELD } from "./settings-errors.js";

/** @import { AdminPage } from "./admin-page.js" */
/** @import { DraftService } from "./settings-draft.js" */
/** @import { PlacedError } from "./settings-errors.js" */

/** @typedef {1 | 2 | 3} Step */

const LINK_OFFER = createDraftService({ label: "Linking window", purposes: ["link"], isOptional: true });
const TOOL_OFFER = createDraftService({ purposes: ["identify"], isOptional: true });

/** Three steps; which of them are done follows from the settings, so that a reload changes nothing. */
export class FirstRun {
  /** Saving, or making sure of what was saved before it goes on. */
  isBusy = false;
  /** @type {Step | null} Opened by hand; null for the first that isn't done. */
  #opened = null;
  #page;

  /** @param {AdminPage} page */
  constructor(page) {
    this.#page = page;
  }

  /** The service to link through: that of the form, or one to begin with. */
  get link() {
    return this.#page.editor.draft.services.find(isLinkService) ?? LINK_OFFER;
  }

  /** A first service that may identify people. */
  get tool() {
    return this.#page.editor.draft.services.find((service) => !isLinkService(service)) ?? TOOL_OFFER;
  }

  /** @param {Partial<DraftService>} changes */
  editLink(changes) {
    this.#page.editor.putService({ ...this.link, ...changes });
  }

  /** @param {Partial<DraftService>} changes */
  editTool(changes) {
    this.#page.editor.putService({ ...this.tool, ...changes });
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
      const text = "Enter your team domain.";
      this.#refuse([{ fieldId: TEAM_DOMAIN_FIELD, label: "Team domain", text }]);
      return;
    }
    await this.#work(async () => {
      if (!(await this.#save())) return;
      await editor.checkTeam();
      // A team that gives no keys is more likely a slip than a passing failure: it is shown before the next step.
      if (editor.teamCheck.result?.ok && !editor.isDirty) this.#goOn();
    });
  }

  /** Past a team whose keys can't be fetched. */
  goOnAnyway() {
    this.#goOn();
  }

  async saveServices() {
    const { link, tool } = this;
    const errors = [];
    if (!link.audience.trim()) {
      const text = "Enter the AUD tag of the application that protects the linking window.";
      errors.push({ fieldId: serviceFieldId(link.key, "audience"), label: "AUD tag", text });
    }
    if (tool.label.trim() && !tool.audience.trim()) {
      const text = "Enter its AUD tag, or clear the name to leave the tool for later.";
      errors.push({ fieldId: serviceFieldId(tool.key, "audience"), label: "AUD tag of the tool", text });
    }
    if (errors.length > 0) {
      this.#refuse(errors);
      return;
    }
    await this.#work(async () => {
      // What was typed meanwhile isn't saved yet.
      if ((await this.#save()) && !this.#page.editor.isDirty) this.#goOn();
    });
  }

  /** @param {readonly PlacedError[]} errors */
  #refuse(errors) {
    this.#page.editor.showErrors(errors);
    focusOn(errors[0]?.fieldId ?? "");
  }

  /** @param {() => Promise<void>} work */
  async #work(work) {
    if (this.isBusy) return;
    this.isBusy = true;
    await work();
    this.isBusy = false;
    this.#page.draw();
  }

  async #save() {
    const { editor } = this.#page;
    this.#opened = this.openStep;
    const isSaved = await this.#page.save();
    if (!isSaved) focusOn(editor.errors.find(({ fieldId }) => fieldId !== null)?.fieldId ?? "conflict");
    return isSaved;
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
