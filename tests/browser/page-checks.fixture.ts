import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Frame, Page } from "playwright-core";

import { shortenUrl } from "./shorten-url.fixture.js";

const AXE_SOURCE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeViolation {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly helpUrl: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[];
}

/** Every rule of axe-core, in this one frame. */
export async function expectAccessible(view: Page | Frame): Promise<void> {
  // Evaluated as the debugger does it: the page's Content Security Policy stays as strict as it is.
  await view.evaluate(AXE_SOURCE);
  const violations = await view.evaluate<AxeViolation[]>(
    `axe.run(document, { iframes: false, preload: false, resultTypes: ["violations"] }).then(({ violations }) =>
      violations.map(({ id, impact, help, helpUrl, nodes }) => ({ id, impact, help, helpUrl,
        nodes: nodes.map(({ target, failureSummary }) => ({ target: target.map(String), failureSummary })) })))`,
  );
  if (violations.length > 0)
    throw new Error(`axe finds at ${shortenUrl(view.url())}:\n${violations.map(describe).join("\n")}`);
}

function describe({ id, impact, help, helpUrl, nodes }: AxeViolation): string {
  const places = nodes.map(
    ({ target, failureSummary = "" }) =>
      `    ${target.join(" ")}\n      ${failureSummary.split("\n").slice(1).join("\n      ").trim()}`,
  );
  return `  ${id} (${impact ?? "unrated"}): ${help}\n${places.join("\n")}\n    ${helpUrl}`;
}

/** Nothing is wider than the window. */
export async function expectNoHorizontalScroll(view: Page | Frame): Promise<void> {
  const { available, needed, culprits } = await view.evaluate<{
    available: number;
    needed: number;
    culprits: string[];
  }>(`(() => {
    const root = document.documentElement;
    const widest = [...document.body.querySelectorAll("*")]
      .filter((element) => element.getBoundingClientRect().right > root.clientWidth + 0.5)
      .slice(0, 5)
      .map((element) => element.outerHTML.slice(0, 120));
    return { available: root.clientWidth, needed: root.scrollWidth, culprits: widest };
  })()`);
  if (needed <= available) return;
  throw new Error(
    `${shortenUrl(view.url())} scrolls sideways: ${needed} pixels in ${available}.\n${culprits.map((line) => `  ${line}`).join("\n")}`,
  );
}
