import { AccountNames } from "./account-names.js";
import { adminView } from "./admin-view.js";
import { AssertionKeys } from "./assertion-keys.js";
import { AuditList } from "./audit-list.js";
import { FirstRun } from "./first-run.js";
import { focusOn } from "./form-parts.js";
import { LinkList } from "./link-list.js";
import { createLinking } from "../linking/linking.js";
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
    this.links = new LinkList({ api, names: this.names, onChange: draw });
    this.audit = new AuditList({ api, names: this.names, onChange: draw });
    this.overviews = new ServiceOverviews({ api, onChange: draw });
    this.serviceKeys = new ServiceKeys({ api, reload: () => this.overviews.load(), onChange: draw });
    this.assertionKeys = new AssertionKeys({ api, onChange: draw });
    this.linking = createLinking(api, ({ phase }) => {
      const had = document.activeElement;
      this.draw();
      if (phase !== "done") return;
      if (had && !had.isConnected) focusOn(OWN_ACCOUNT);
      void this.loadMe();
    });
    /** @type {Task<Settings>} */
    this.loading = new Task(draw);
    /** @type {Task<Me>} */
    this.me = new Task(draw);
  }

  get editor() {
    if (!this.#editor) throw new Error("The settings aren’t here yet.");
    return this.#editor;
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
    await this.loading.run(() => this.api.getSettings());
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
  }

  /** What protects the linking window already needn't be typed. */
  #beginFirstRun() {
    this.firstRun = new FirstRun(this);
    void this.editor.checkPopupPath();
  }

  /** What an admin wants to know of a set-up that stands: does the window work, who uses what, and am I linked? */
  #lookAround() {
    void this.editor.checkPopupPath();
    void this.overviews.load();
    void this.loadMe();
  }

  async loadMe() {
    await this.me.run(() => this.api.getMe());
  }

  async save() {
    const before = this.editor.base;
    const isSaved = await this.editor.save();
    if (isSaved) this.#followSave(before);
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
    if (section === "links") this.links.show();
    if (section === "audit") this.audit.show();
    this.draw();
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
