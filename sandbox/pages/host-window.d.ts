/** What the host page's scripts use of the bridge and of jQuery, which are loaded before. */
export type HostWindow = typeof window & {
  readonly connectHost: ConnectHost;
  readonly jQuery: JQueryStatic;
};

interface ConnectHost {
  defineModule(name: string, methods: BridgeModule): void;
  /** Methods of `AP` itself. */
  defineModule(methods: BridgeModule): void;
  /** The frame, not yet in the page. */
  create(extension: unknown): JQueryElement;
}

type BridgeModule = Readonly<Record<string, BridgeMethod>>;
type BridgeMethod = ((...args: never[]) => Promise<unknown>) & { returnsPromise: true };

interface JQueryStatic {
  /** Gone in jQuery 4. */
  type?: (value: unknown) => string;
}

interface JQueryElement {
  find(selector: string): JQueryElement;
  attr(name: string, value: string): void;
  on(event: string, listener: () => void): void;
  addClass(name: string): void;
  appendTo(parent: Element): void;
}

export interface FlagOptions {
  readonly type?: string;
  readonly title?: string;
  /** HTML, which the bridge has made of text. */
  readonly body?: string;
  readonly close?: string;
}

/** The host page's place for the app's, with what the site wrote into it. */
export interface AppPlaceElement extends HTMLElement {
  readonly dataset: Record<"product" | "person" | "contextPath" | "title" | "extension", string>;
}

/** As `AP.request` takes them. */
export interface RequestOptions {
  readonly type?: string;
  readonly contentType?: string;
  readonly data?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the sandbox answers when a scene was played. */
export interface SceneOutcome {
  readonly request: string;
  readonly status: number;
  readonly problem: { readonly code: string; readonly title: string; readonly detail: string } | null;
  readonly links: readonly { readonly text: string; readonly url: string }[];
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly body: string | null;
  readonly isAsTold: boolean;
}
