/** The part of Atlassian's host script (all.js) that connect-host.js uses. */
interface AtlassianBridge {
  readonly context: { getToken(): Promise<string> };
  /** Documented as `AP.getLocation`; the bridge itself has it in its module `env`. */
  readonly getLocation?: FindLocation;
  readonly env?: { readonly getLocation?: FindLocation };
  readonly theming?: { initializeTheming(): void };
  request(path: string): Promise<{ readonly body: string }>;
}

/** Calls back with the address of the product's page around the app's. */
type FindLocation = (callback: (location: string) => void) => void;

interface Window {
  /** Absent when the script was blocked or didn't load. */
  readonly AP?: AtlassianBridge;
}
