import { Api } from "./api.js";
import { problemMessage } from "./parts.js";
import { html, render } from "./vendor/lit-html/lit-html.js";

/** @import { TemplateResult } from "./vendor/lit-html/lit-html.js" */
/** @import { Host } from "./types.js" */

/**
 * @typedef {object} Stage What a page is made of.
 * @property {HTMLElement} root
 * @property {Api} api
 * @property {Host} host
 * @property {"jira" | "confluence"} product
 */

/**
 * Starts a page in its shell: takes on the product's looks, then hands over. Without the product's script it says so.
 *
 * @param {(shell: DOMStringMap) => Host} createHost From what the shell says.
 * @param {(stage: Stage) => void} run
 */
export async function startPage(createHost, run) {
  const root = document.getElementById("page");
  if (!root) throw new Error("The shell has no #page.");
  const host = createHost(root.dataset);
  let product;
  try {
    await host.start();
    product = await host.findProduct();
  } catch (error) {
    document.documentElement.dataset["colorMode"] = "browser";
    draw(
      root,
      html`<h1>Cloudflare Access</h1>
        ${problemMessage(error, { retry: () => location.reload() })}`,
    );
    return;
  }
  run({ root, api: new Api(host), host, product });
}

/**
 * @param {HTMLElement} root
 * @param {TemplateResult} content
 */
function draw(root, content) {
  root.replaceChildren();
  render(content, root);
}
