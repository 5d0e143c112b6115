import { relayAnswer as relay } from "../sandbox/forge-invoke.js";

/** What the page asks of the product, with the product's answer; a missing one says nothing, as Forge does. */
export type Answers = Readonly<Record<string, (data: never) => unknown>>;

/** Forge's side of the bridge. It must be there before the library is loaded, which takes hold of it at once. */
export class ForgeBridge {
  answers: Answers = {};
  readonly calls: { readonly command: string; readonly data: unknown }[] = [];

  constructor() {
    Object.assign(globalThis, {
      __bridge: {
        callBridge: async (command: string, data: unknown) => {
          this.calls.push({ command, data });
          return Promise.resolve(this.answers[command]?.(data as never));
        },
      },
    });
  }

  listCalls(wanted: string): unknown[] {
    return this.calls.filter(({ command }) => command === wanted).map(({ data }) => data);
  }

  reset(answers: Answers = {}): void {
    this.answers = answers;
    this.calls.length = 0;
  }
}

/** What of an app's answer reaches the page, by Forge's contract with remotes. */
export async function relayAnswer(answer: Response): Promise<unknown> {
  const headers = Object.fromEntries([...answer.headers].map(([name, value]) => [name, [value]]));
  return relay({ status: answer.status, headers, text: await answer.text() });
}
