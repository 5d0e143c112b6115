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

/** The same for the pages of a Forge app. */
export interface ForgePlaceElement extends HTMLElement {
  readonly dataset: Record<"person" | "title" | "src" | "sandbox" | "module" | "context" | "remote", string>;
}

/** As `view.getContext()` tells it. */
export interface ForgeContext {
  readonly extension: object;
}

/** As `requestJira` and `requestConfluence` send them. */
export interface ProductRequest {
  readonly restPath: string;
  readonly fetchRequestInit: {
    readonly method?: string;
    readonly body?: string | null;
    readonly headers: [name: string, value: string][];
  };
}

/** What the site says of a call that it has sent to the app: the answer, or why the page gets none. */
export interface RelayedCall {
  readonly value?: unknown;
  readonly error?: string;
}

/** What a frame asks of the product's page around it. */
export interface BridgeCall {
  readonly type: "forge-call";
  readonly id: number;
  readonly command: string;
  readonly data: unknown;
}

/** What the product's page says to the frame. */
export type BridgeAnswer =
  | { readonly type: "forge-answer"; readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly type: "forge-theme"; readonly mode: string; readonly theme: string; readonly css: string };

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
