import { AccountNames } from "./account-names.js";
import { adminView } from "./admin-view.js";
import { AssertionKeys } from "./assertion-keys.js";
import { FirstRun } from "./first-run.js";
import { focusOn } from "./form-parts.js";
import { loadLaterParts } from "./load-later-parts.js";
import { createLinking } from "../linking/linking.js";
import { PredecessorCard } from "./predecessor-card.js";
import { ServiceKeys } from "./service-keys.js";
import { ServiceOverviews } from "./service-overviews.js";
import { SettingsEditor } from "./settings-editor.js";
import { isComplete, isLinkService } from "./settings-draft.js";
import { Task } from "./task.js";
import { OWN_ACCOUNT } from "./try-it-view.js";
import { render } from "../vendor/lit-html/lit-html.js";

/** @import { Product } from "./admin-parts.js" */
/** @import { Api } from "../api.js" */
/** @import { Stage } from "../page.js" */
/** @import { Difference, Side } from "./settings-merge.js" */
/** @import { Me, Settings } from "../types.js" */

/** @typedef {"settings" | "links" | "audit"} Section */

/**
 * @typedef {Awaited<ReturnType<typeof loadLaterParts>>} Loaded
 * @typedef {Loaded & { links: InstanceType<Loaded["LinkList"]>, audit: InstanceType<Loaded["AuditList"]> }} LaterParts
 */

/** @param {Stage} stage */
export function runAdminPage(stage) {
  void new AdminPage(stage).start();
}

/** What the page knows, and what can be done on it; the views draw it. */
export class AdminPage {
  /** @type {Section} */
  section = "settings";
  /** @type {SettingsEditor | null} */
  #editor = null;
  /** @type {FirstRun | null} Null once the app is set up. */
  firstRun = null;
  /** @type {Product} */
  product;
  /** @type {Api} */
  api;
  #root;

  /** @param {Stage} stage */
  constructor({ root, api, host, product }) {
    const draw = () => this.draw();
    this.#root = root;
    this.api = api;
    this.appUrl = host.appUrl;
    this.product = product;
    this.names = new AccountNames(host, draw);
    this.overviews = new ServiceOverviews({ api, onChange: draw });
    this.serviceKeys = new ServiceKeys({ api, reload: () => this.overviews.load(), onChange: draw });
    this.assertionKeys = new AssertionKeys({ api, onChange: draw });
    this.predecessor = new PredecessorCard({
      ...{ api, isPossible: host.mayTakeOver, onChange: draw },
      onTakenOver: () => this.#beginAgain(),
    });
    this.linking = createLinking(api, host, ({ phase }) => {
      const had = document.activeElement;
      this.draw();
      if (phase !== "done") return;
      if (had && !had.isConnected) focusOn(OWN_ACCOUNT);
      void this.loadMe();
    });
    /** @type {Task<Settings>} */
    this.loading = new Task(draw);
    /** @type {Task<LaterParts>} */
    this.later = new Task(draw);
    /** @type {Task<Me>} */
    this.me = new Task(draw);
  }

  get editor() {
    if (!this.#editor) throw new Error("The settings aren’t here yet.");
    return this.#editor;
  }

  get links() {
    return this.#parts.links;
  }

  get audit() {
    return this.#parts.audit;
  }

  get #parts() {
    const { result } = this.later;
    if (!result) throw new Error("This part isn’t here yet.");
    return result;
  }

  get isReady() {
    return this.#editor !== null;
  }

  async start() {
    window.addEventListener("beforeunload", (event) => {
      if (this.#editor?.isDirty || this.serviceKeys.made) event.preventDefault();
    });
    this.#root.replaceChildren();
    await this.load();
  }

  async load() {
    await this.loading.run(async () => {
      const asked = this.overviews.loadInTime();
      const [settings] = await Promise.all([this.api.getSettings(), this.predecessor.look()]);
      // Else what is known of the services later would move what stands by then.
      if (isComplete(settings)) await asked;
      return settings;
    });
    const settings = this.loading.result;
    if (!settings) return;
    this.#editor = new SettingsEditor({
      api: this.api,
      names: this.names,
      settings,
      onChange: () => this.draw(),
    });
    if (isComplete(settings)) this.#lookAround();
    else this.#beginFirstRun();
    this.draw();
    void this.loadLater();
  }

  /** Begun as soon as nobody waits for anything else, so that a section is there by the time that it is opened. */
  async loadLater() {
    const { api, names, later } = this;
    if (later.result || later.isBusy) return;
    const onChange = () => this.draw();
    const isLoaded = await later.run(async () => {
      const parts = await loadLaterParts();
      const links = new parts.LinkList({ api, names, onChange });
      const audit = new parts.AuditList({ api, names, onChange });
      return { ...parts, links, audit };
    });
    if (isLoaded) this.#showList();
  }

  /** With settings that aren't a later version of those before. */
  async #beginAgain() {
    this.firstRun = null;
    this.linking.cancel();
    await this.load();
  }

  /** What protects the linking window already needn't be typed. */
  #beginFirstRun() {
    this.firstRun = new FirstRun(this);
    void this.editor.checkPopupPath();
  }

  /** What an admin wants to know of a set-up that stands: does the window work, and am I linked? */
  #lookAround() {
    void this.editor.checkPopupPath();
    void this.loadMe();
  }

  async loadMe() {
    await this.me.run(() => this.api.getMe());
  }

  async save() {
    const before = this.editor.base;
    const isSaved = await this.editor.save();
    if (isSaved) this.#followSave(before);
    else if (this.editor.conflict) void this.loadLater();
    return isSaved;
  }

  async saveConflict() {
    const before = this.editor.base;
    const isSaved = await this.editor.saveConflict();
    if (isSaved) {
      this.#leaveConflict();
      this.#followSave(before);
    }
    return isSaved;
  }

  /** @param {Settings} before */
  #followSave(before) {
    const { editor } = this;
    const isOtherWay = !leadsToSameIdentities(before, editor.base);
    if (isOtherWay) this.linking.cancel();
    // The first run looks at the team itself, and at the rest once there is something to see.
    if (!this.firstRun && editor.base.teamDomain !== null) void editor.checkTeam();
    if (this.firstRun && !isComplete(editor.base)) return;
    if (isOtherWay) editor.popupCheck.clear();
    void this.overviews.load();
    this.#lookAround();
  }

  dropMyChanges() {
    const before = this.editor.base;
    this.editor.takeTheirs();
    this.#leaveConflict();
    this.#followSave(before);
  }

  #leaveConflict() {
    if (this.firstRun || !isComplete(this.editor.base)) this.firstRun = new FirstRun(this);
    this.draw();
    focusOn("title");
  }

  /**
   * @param {Difference} difference
   * @param {Side} side
   */
  chooseSide(difference, side) {
    this.editor.conflict?.choose(difference, side);
    this.draw();
  }

  finishFirstRun() {
    this.firstRun = null;
    this.linking.cancel();
    this.editor.dropUnusedOffers();
    this.draw();
    focusOn("title");
  }

  /** @param {Section} section */
  show(section) {
    this.section = section;
    this.#showList();
    this.draw();
  }

  /** Looks afresh at what is listed, as soon as there is something to show it with. */
  #showList() {
    if (this.section === "settings" || this.later.isBusy) return;
    if (!this.later.result) void this.loadLater();
    else if (this.section === "links") this.links.show();
    else this.audit.show();
  }

  draw() {
    render(adminView(this), this.#root);
  }
}

/**
 * Whether a link that is being made still counts when it is there.
 *
 * @param {Settings} one
 * @param {Settings} other
 */
function leadsToSameIdentities(one, other) {
  const audienceOf = (/** @type {Settings} */ { services }) => services.find(isLinkService)?.audience;
  return one.teamDomain === other.teamDomain && audienceOf(one) === audienceOf(other);
}
