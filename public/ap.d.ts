/** The part of Atlassian's host script (all.js) that connect-host.js uses. */
interface AtlassianBridge {
  readonly context: { getToken(): Promise<string> };
  readonly theming?: { initializeTheming(): void };
  request(path: string): Promise<{ readonly body: string }>;
}

interface Window {
  /** Absent when the script was blocked or didn't load. */
  readonly AP?: AtlassianBridge;
}
