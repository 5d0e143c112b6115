import { describe, expect, it } from "vitest";

import { ApiError, NoAnswerError } from "../errors.js";
import type { Link, LinkAttempt, ProblemCode } from "../types.js";
import { AttemptOverError } from "./linking-explain.js";
import { createLinking, ENDS_ATTEMPT, type LinkingState, type Windows } from "./linking.js";

const LINK = { id: "link", email: "grace@acme.example" } as Link;
const ATTEMPTS: LinkAttempt[] = ["first", "second", "third"].map((id) => ({
  id,
  url: `https://app.example.com/link/start/${id}`,
  expiresAt: "2030-01-01T00:05:00.000Z",
}));

function refusal(code: ProblemCode): ApiError {
  const problem = { type: "about:blank", title: code, status: 400, detail: code, code, reference: "r" };
  return new ApiError(problem, null);
}

/** An answer that comes when the test says so. */
class Pending<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

class FakeWindow {
  closed = false;
  focused = 0;
  readonly location = { href: "" };
  readonly told: unknown[] = [];

  close(): void {
    this.closed = true;
  }

  focus(): void {
    this.focused += 1;
  }
}

type Events = Parameters<Windows["watchWindow"]>[2];

/** Linking between the test's own app and windows. */
class Bench {
  readonly windows: FakeWindow[] = [];
  readonly begun: Pending<LinkAttempt>[] = [];
  readonly finished: Pending<Link>[] = [];
  readonly sent: { attempt: string; code: string }[] = [];
  /** Of whatever is being watched, in the order of its beginning. */
  readonly watched: { attempt: string; isOver: boolean; events: Events }[] = [];
  readonly states: LinkingState[] = [];
  blocks = false;

  readonly linking = createLinking(
    {
      beginLink: () => this.#ask(this.begun),
      finishLink: (attempt, code) => {
        this.sent.push({ attempt, code });
        return this.#ask(this.finished);
      },
    },
    { openTab: null, appUrl: new URL("https://app.example.com/") },
    (state) => this.states.push(state),
    {
      openBlankWindow: () => (this.blocks ? null : this.#open()),
      openWindow: (url) => this.#open(url),
      watchWindow: ({ id }, _getWindow, events) => {
        const watch = { attempt: id, isOver: false, events };
        this.watched.push(watch);
        return () => {
          watch.isOver = true;
        };
      },
      tell: (receiver, message) => (receiver as unknown as FakeWindow).told.push(message),
    },
  );

  get phase(): string {
    return this.linking.state.phase;
  }

  /** A window has opened, and the app has begun an attempt for it. */
  async begin(): Promise<FakeWindow> {
    void this.linking.start();
    const window = this.windows.at(-1);
    this.begun.at(-1)!.resolve(ATTEMPTS[this.begun.length - 1]!);
    await settled();
    expect(this.phase).toBe("waiting");
    return window!;
  }

  get events(): Events {
    return this.watched.at(-1)!.events;
  }

  #ask<T>(answers: Pending<T>[]): Promise<T> {
    const answer = new Pending<T>();
    answers.push(answer);
    return answer.promise;
  }

  #open(url = ""): WindowProxy {
    const window = new FakeWindow();
    window.location.href = url;
    this.windows.push(window);
    return window as unknown as WindowProxy;
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("linking", () => {
  it("takes the window's code, says that it has it, redeems it, and tells the window the outcome", async () => {
    const bench = new Bench();
    const window = await bench.begin();
    expect(window.location.href).toBe(ATTEMPTS[0]!.url);
    bench.events.onCode("secret");
    expect(window.told).toEqual([{ type: "access-link/received", attempt: "first" }]);
    bench.finished[0]!.resolve(LINK);
    await settled();
    expect(bench.sent).toEqual([{ attempt: "first", code: "secret" }]);
    expect(window.told[1]).toEqual({
      type: "access-link/outcome",
      attempt: "first",
      outcome: { kind: "linked" },
    });
    expect(bench.linking.state).toMatchObject({ phase: "done", link: LINK });
    expect(bench.watched[0]!.isOver).toBe(true);
    // It shows by itself that it's done, and closes.
    expect(window.closed).toBe(false);
  });

  it("closes the window after a typed code, and not after a wrong one", async () => {
    const bench = new Bench();
    const window = await bench.begin();
    void bench.linking.useCode("WRONG");
    bench.finished[0]!.reject(refusal("validation_failed"));
    await settled();
    expect(bench.linking.state).toMatchObject({
      phase: "waiting",
      codeError: expect.stringContaining("use the newest one or start again") as string,
    });
    expect(window.closed).toBe(false);
    void bench.linking.useCode("RIGHT");
    bench.finished[1]!.resolve(LINK);
    await settled();
    expect(bench.phase).toBe("done");
    expect(window.closed).toBe(true);
    expect(window.told).toEqual([]);
  });

  it("asks for a code instead of sending nothing", async () => {
    const bench = new Bench();
    await bench.begin();
    await bench.linking.useCode("  ");
    expect(bench.linking.state.codeError).not.toBe("");
    expect(bench.sent).toEqual([]);
  });

  it("brings the window back on a second click, and opens no other", async () => {
    const bench = new Bench();
    const window = await bench.begin();
    await bench.linking.start();
    expect(window.focused).toBe(1);
    expect(bench.windows).toHaveLength(1);
  });

  it("opens the window with the attempt's address where the browser blocked it", async () => {
    const bench = new Bench();
    bench.blocks = true;
    void bench.linking.start();
    bench.begun[0]!.resolve(ATTEMPTS[0]!);
    await settled();
    expect(bench.phase).toBe("blocked");
    bench.linking.openAgain();
    expect(bench.phase).toBe("waiting");
    expect(bench.windows[0]!.location.href).toBe(ATTEMPTS[0]!.url);
  });

  it("starts again in a new window, for a new attempt, and closes the first", async () => {
    const bench = new Bench();
    const first = await bench.begin();
    void bench.linking.startAgain();
    bench.begun[1]!.resolve(ATTEMPTS[1]!);
    await settled();
    expect(first.closed).toBe(true);
    expect(bench.watched.map(({ attempt, isOver }) => [attempt, isOver])).toEqual([
      ["first", true],
      ["second", false],
    ]);
  });

  it("is over, with nothing linked, when the window declines", async () => {
    const bench = new Bench();
    await bench.begin();
    bench.events.onDeclined();
    expect(bench.phase).toBe("declined");
    expect(bench.watched[0]!.isOver).toBe(true);
    await bench.begin();
  });

  it("doesn't believe a window that declines after handing over its code", async () => {
    const bench = new Bench();
    await bench.begin();
    bench.events.onCode("secret");
    bench.events.onDeclined();
    expect(bench.phase).toBe("finishing");
    bench.finished[0]!.resolve(LINK);
    await settled();
    expect(bench.phase).toBe("done");
  });

  it("notes once that the window is closed, and that it is silent", async () => {
    const bench = new Bench();
    await bench.begin();
    const before = bench.states.length;
    bench.events.onClosed();
    bench.events.onClosed();
    bench.events.onSilence();
    expect(bench.states).toHaveLength(before + 2);
    expect(bench.linking.state).toMatchObject({ phase: "waiting", isClosed: true, isSilent: true });
  });
});

describe("linking that was cancelled", () => {
  it("drops the attempt that the app begins afterwards, and leads no window there", async () => {
    const bench = new Bench();
    void bench.linking.start();
    bench.linking.cancel();
    bench.begun[0]!.resolve(ATTEMPTS[0]!);
    await settled();
    expect(bench.phase).toBe("idle");
    expect(bench.windows[0]).toMatchObject({ closed: true, location: { href: "" } });
    expect(bench.watched).toEqual([]);
  });

  it("drops the refusal that comes afterwards", async () => {
    const bench = new Bench();
    void bench.linking.start();
    bench.linking.cancel();
    bench.begun[0]!.reject(refusal("rate_limited"));
    await settled();
    expect(bench.linking.state).toMatchObject({ phase: "idle", error: null });
  });

  it("drops a late answer while the next attempt is under way", async () => {
    const bench = new Bench();
    void bench.linking.start();
    bench.linking.cancel();
    const window = await bench.begin();
    bench.begun[0]!.resolve(ATTEMPTS[2]!);
    await settled();
    expect(window.location.href).toBe(ATTEMPTS[1]!.url);
    expect(bench.watched.map(({ attempt }) => attempt)).toEqual(["second"]);
  });

  it.each<[what: string, answer: (finished: Pending<Link>) => void]>([
    ["link", (finished) => finished.resolve(LINK)],
    ["refusal", (finished) => finished.reject(refusal("already_linked"))],
  ])("tells nobody of the %s that its code still leads to", async (_what, answer) => {
    const bench = new Bench();
    const window = await bench.begin();
    bench.events.onCode("secret");
    bench.linking.cancel();
    answer(bench.finished[0]!);
    await settled();
    expect(bench.linking.state).toMatchObject({ phase: "idle", link: null, error: null });
    expect(window.told).toHaveLength(1);
  });
});

describe("a code from the window", () => {
  it("stays unanswered while another is under way", async () => {
    const bench = new Bench();
    const window = await bench.begin();
    void bench.linking.useCode("TYPED");
    bench.events.onCode("secret");
    expect(bench.sent).toEqual([{ attempt: "first", code: "TYPED" }]);
    expect(window.told).toEqual([]);
  });

  it("stays unanswered when the attempt is over", async () => {
    const bench = new Bench();
    const window = await bench.begin();
    const { events } = bench;
    bench.linking.cancel();
    events.onCode("secret");
    await settled();
    expect(bench.sent).toEqual([]);
    expect(window.told).toEqual([]);
  });
});

describe("the end of the five minutes", () => {
  it("ends the waiting and leaves the window, which says it itself, alone", async () => {
    const bench = new Bench();
    const window = await bench.begin();
    bench.events.onExpiry();
    expect(bench.phase).toBe("failed");
    expect(bench.linking.state.error).toBeInstanceOf(AttemptOverError);
    expect(window.closed).toBe(false);
  });

  it("doesn't end what is on its way to the app", async () => {
    const bench = new Bench();
    await bench.begin();
    bench.events.onCode("secret");
    bench.events.onExpiry();
    expect(bench.phase).toBe("finishing");
    bench.finished[0]!.resolve(LINK);
    await settled();
    expect(bench.phase).toBe("done");
  });
});

describe("a refusal", () => {
  it("to begin closes the window, which never got anywhere", async () => {
    const bench = new Bench();
    void bench.linking.start();
    bench.begun[0]!.reject(refusal("paused"));
    await settled();
    expect(bench.phase).toBe("failed");
    expect(bench.windows[0]!.closed).toBe(true);
  });

  it.each([...ENDS_ATTEMPT])("%s ends the attempt, and the window hears of it", async (code) => {
    const bench = new Bench();
    const window = await bench.begin();
    bench.events.onCode("secret");
    const error = refusal(code);
    bench.finished[0]!.reject(error);
    await settled();
    expect(bench.linking.state).toMatchObject({ phase: "failed", error });
    expect(bench.watched[0]!.isOver).toBe(true);
    expect(window.told[1]).toMatchObject({
      outcome: { kind: "refused", title: expect.any(String) as string, text: expect.any(String) as string },
    });
    expect(window.closed).toBe(false);
    await bench.linking.useCode("LATE");
    expect(bench.sent).toHaveLength(1);
  });

  it.each<[what: string, error: unknown, outcome: string]>([
    ["a database that rests", refusal("store_unavailable"), "refused"],
    ["too many tries", refusal("rate_limited"), "refused"],
    ["no answer", new NoAnswerError(), "unknown"],
  ])("by %s leaves the attempt open for the next try", async (_what, error, kind) => {
    const bench = new Bench();
    const window = await bench.begin();
    bench.events.onCode("secret");
    bench.finished[0]!.reject(error);
    await settled();
    expect(bench.linking.state).toMatchObject({ phase: "waiting", error });
    expect(window.told[1]).toMatchObject({ outcome: { kind } });
    expect(bench.watched[0]!.isOver).toBe(false);
  });
});
