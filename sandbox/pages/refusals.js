// Plays a scene when its button is clicked, and shows what the service was answered.
/** @import { SceneOutcome } from "./host-window.js" */
(() => {
  /**
   * @param {string} name
   * @param {string} text
   * @param {string} [className]
   */
  function element(name, text, className = "") {
    const created = document.createElement(name);
    created.textContent = text;
    if (className) created.className = className;
    return created;
  }

  /** @param {string} message */
  function describeFailure(message) {
    return [element("p", `That didn't work: ${message}`, "failure")];
  }

  /** @param {SceneOutcome} outcome */
  function describeOutcome({ request, status, problem, links, facts, body, isAsTold }) {
    const described = [element("p", request, "request")];
    if (!isAsTold) described.push(element("p", "This isn't what was to be expected.", "failure"));
    const title = problem ? `${status} ${problem.code}: ${problem.title}` : `${status}`;
    described.push(element("p", title, "answer"));
    if (problem) described.push(element("p", problem.detail));
    if (body !== null) described.push(element("pre", body));
    const list = document.createElement("dl");
    for (const [name, value] of facts) list.append(element("dt", name), element("dd", value));
    if (facts.length > 0) described.push(list);
    for (const { text, url } of links) {
      const link = document.createElement("a");
      link.href = url;
      link.className = "button";
      link.textContent = text;
      described.push(link);
    }
    return described;
  }

  /** @param {string} id */
  async function play(id) {
    try {
      const response = await fetch(`/refusals/${id}`, {
        method: "POST",
        headers: { "x-sandbox-scene": "play" },
      });
      /** @type {unknown} */
      const answer = await response.json();
      if (response.ok) return describeOutcome(/** @type {SceneOutcome} */ (answer));
      return describeFailure(/** @type {{ message: string }} */ (answer).message);
    } catch {
      return describeFailure("the sandbox doesn't answer.");
    }
  }

  /** @param {HTMLButtonElement} button */
  async function run(button) {
    const outcome = button.closest("li")?.querySelector(".outcome");
    if (!outcome || button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    outcome.replaceChildren(element("p", "Working …"));
    outcome.replaceChildren(...(await play(button.dataset["scene"] ?? "")));
    button.removeAttribute("aria-disabled");
  }

  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = document.querySelectorAll("button[data-scene]");
  for (const button of buttons) button.addEventListener("click", () => void run(button));
})();
