import type { Frame, Page } from "playwright-core";

import type { Expectation } from "./states.fixture.js";

/** A page that is no higher is shown whole. */
const WINDOW_HEIGHT = 900;
/** A card or a section that is no higher is shown whole. */
const BLOCK_HEIGHT = 1000;
/** What stands above is shown as long as it is no more than the page's head. */
const HEAD_HEIGHT = 300;
/** So that a part that is small can be placed. */
const LEAST_HEIGHT = 480;
const AROUND = 24;

interface Span {
  readonly top: number;
  readonly bottom: number;
}

interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * What a picture of the view shows: no empty margins, and of a long page the part with all that is expected on it, and
 * what stands around it. `cornerY` is where the view begins in its window.
 */
export async function findPart(
  view: Page | Frame,
  expects: readonly Expectation[],
  cornerY: number,
): Promise<Part> {
  const { left, right, height } = await view.evaluate<{
    left: number;
    right: number;
    height: number;
  }>(`(() => {
    const boxes = [...document.querySelectorAll("input, select, textarea, button, .card, .message, dialog[open]")]
      .map((element) => element.getBoundingClientRect());
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (const range = new Range(); texts.nextNode(); ) {
      range.selectNodeContents(texts.currentNode);
      if (!texts.currentNode.parentElement.closest(".visually-hidden, noscript")) boxes.push(range.getBoundingClientRect());
    }
    const seen = boxes.filter(({ width }) => width > 0);
    return {
      left: Math.floor(Math.max(0, Math.min(...seen.map((box) => box.left)) - ${AROUND})),
      right: Math.ceil(Math.min(document.documentElement.clientWidth, Math.max(...seen.map((box) => box.right)) + ${AROUND})),
      height: Math.ceil(Math.max(...[...document.querySelectorAll("body, dialog[open]")]
        .map((element) => element.getBoundingClientRect().bottom))),
    };
  })()`);
  const width = right - left;
  if (height <= WINDOW_HEIGHT) return { left, top: 0, width, height };
  const spans: Span[] = [];
  for (const expectation of expects) spans.push(await findSpan(view, expectation, cornerY));
  const { top, bottom } = await widen(view, {
    top: Math.min(...spans.map((span) => span.top)),
    bottom: Math.max(...spans.map((span) => span.bottom)),
  });
  return { left, top, width, height: Math.min(bottom, height) - top };
}

async function findSpan(view: Page | Frame, expectation: Expectation, cornerY: number): Promise<Span> {
  if (typeof expectation === "object" && "role" in expectation) {
    const { role, name } = expectation;
    const box = await view.getByRole(role, { name }).first().boundingBox();
    if (!box) throw new Error(`There is no ${role} to be seen named ${String(name)}.`);
    return { top: box.y - cornerY, bottom: box.y - cornerY + box.height };
  }
  const pattern =
    typeof expectation === "string"
      ? RegExp(expectation.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      : expectation;
  // The innermost element that says all of it.
  return view.evaluate<Span>(`(() => {
    const says = (element) => ${String(pattern)}.test((element.innerText ?? "").replace(/\\s+/g, " "));
    let found = document.body;
    for (let next = found; next; next = [...found.children].find(says)) found = next;
    const { top, bottom } = found.getBoundingClientRect();
    return { top, bottom };
  })()`);
}

/** To the ends of what it is part of, and to where no line of text, field or button is cut. */
async function widen(view: Page | Frame, span: Span): Promise<Span> {
  return view.evaluate<Span>(`(() => {
    let { top, bottom } = ${JSON.stringify(span)};
    const include = (selector, maxHeight) => {
      const boxes = [...document.querySelectorAll(selector)]
        .filter((element) => !element.closest(".visually-hidden"))
        .map((element) => element.getBoundingClientRect())
        .filter(({ height }) => height > 0 && height <= maxHeight);
      for (const box of boxes) {
        if (box.top < top && box.bottom > top) top = box.top;
        if (box.top < bottom && box.bottom > bottom) bottom = box.bottom;
      }
    };
    include("section, .card", ${BLOCK_HEIGHT});
    top -= ${AROUND};
    bottom += ${AROUND};
    top = Math.min(top, bottom - ${LEAST_HEIGHT});
    for (let rounds = 0; rounds < 3; rounds += 1)
      include("h1, h2, h3, .field, p, label, legend, summary, dt, dd, input, select, textarea, button, .note, .message, nav", 300);
    return { top: top < ${HEAD_HEIGHT} ? 0 : Math.floor(top), bottom: Math.ceil(bottom) };
  })()`);
}
