import { assertionKeysView } from "./assertion-keys-view.js";
import { linesField } from "./form-parts.js";
import { pauseView } from "./pause-view.js";
import { saveAndFocus, saveBarView, saveProblemView } from "./save-bar-view.js";
import { servicesView } from "./services-view.js";
import { EMAIL_DOMAINS_FIELD } from "./settings-errors.js";
import { teamField } from "./team-field.js";
import { tryItView } from "./try-it-view.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { AdminPage } from "./admin-page.js" */

/** @param {AdminPage} page */
export function settingsView(page) {
  const { editor, product } = page;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (editor.isDirty) void saveAndFocus(editor, () => page.save());
  };
  return html`${editor.isPaused ? pauseView(editor, product) : nothing}
    <form novalidate @submit=${submit}>
      <section>
        <h2>Access team</h2>
        ${teamField(editor)}
      </section>
      <section>
        <h2>Trusted services</h2>
        <p class="lead">
          Each is one application in Cloudflare Access, known by its AUD tag. A tool becomes a trusted service
          by being listed here.
        </p>
        ${servicesView(page)}
      </section>
      <section>
        <h2>Who may link</h2>
        ${linesField({
          id: EMAIL_DOMAINS_FIELD,
          label: "Allowed e-mail domains",
          rows: 3,
          value: editor.draft.emailDomains,
          error: editor.findError(EMAIL_DOMAINS_FIELD),
          hint: html`One per line, such as <code>acme.com</code>. <code>*.acme.com</code> means its
            subdomains, without acme.com itself. With none, every e-mail address that Access lets in may link.`,
          onInput: (emailDomains) => editor.edit({ emailDomains }),
        })}
      </section>
      ${saveProblemView(editor, product)} ${saveBarView(editor)}
    </form>
    ${
      editor.isPaused
        ? nothing
        : html`<section>
            <h2>Pause</h2>
            ${pauseView(editor, product)}
          </section>`
    }
    ${assertionKeysView(page)}
    <section>
      <h2>Does it work?</h2>
      <p class="lead">The linking window has to be behind Access, or nobody can link.</p>
      ${tryItView(page)}
    </section>`;
}
