import type { HttpClient } from "./http-client.js";

/** What a page asks Forge to send to the app, as `invokeRemote` puts it. */
interface Invocation {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

interface RemoteAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly text: string;
}

interface Relayed {
  readonly success: boolean;
  readonly payload?: object;
  readonly error?: object;
}

interface Remote {
  readonly client: HttpClient;
  readonly caller: string;
  /** The remote's `baseUrl`: an origin. */
  readonly origin: string;
  /** Forge's own headers. */
  readonly headers: Readonly<Record<string, string>>;
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const MAX_REQUEST_BYTES = 500 * 1024;
const MAX_ANSWER_BYTES = 5 * 1024 * 1024;
const TIMEOUT_MS = 25_000;

/** Sends it as Forge does, and gives the page of the answer what Forge lets through. Throws what `invokeRemote` rejects with. */
export async function invokeRemote(
  { client, caller, origin, headers }: Remote,
  sent: unknown,
): Promise<Relayed> {
  const { method, path, headers: own, body } = requireInvocation(sent);
  const call = {
    caller,
    method,
    url: `${origin}${path}`,
    headers: { ...lowerCase(own), ...headers },
    ...(body !== undefined && { body }),
  };
  const reply = await withinTime(client.send(call));
  const given = Object.entries(reply.headers).map(([name, value]) => [name, [value ?? ""].flat()]);
  return relayAnswer({
    status: reply.status,
    headers: Object.fromEntries(given) as RemoteAnswer["headers"],
    text: reply.text,
  });
}

/** Forge's contract with remotes: 401 is kept for its own token, and whatever isn't plain JSON doesn't arrive. */
export function relayAnswer({ status, headers, text }: RemoteAnswer): Relayed {
  const isOk = status >= 200 && status < 300;
  if (status === 401) throw new Error("Remote could not verify the Forge Invocation Token");
  if (status >= 300 && status < 400)
    throw new Error(`Invalid response from remote - redirects aren't followed. Status: ${status}.`);
  if (Buffer.byteLength(text) > MAX_ANSWER_BYTES)
    throw new Error("Invalid response from remote - the body is too large.");
  const contentType = headers["content-type"]?.join(",");
  if (!isOk && contentType !== undefined && contentType !== "application/json")
    throw new Error(
      `Invalid response from remote - content-type header must be set to application/json and is currently: ${contentType}. Status: ${status}.`,
    );
  const relayed = { status, headers, ...((text !== "" || !isOk) && { body: parseBody(text, status) }) };
  return isOk ? { success: true, payload: relayed } : { success: false, error: relayed };
}

function requireInvocation(sent: unknown): Invocation {
  const { invokeType, method, path, headers, body } = sent as Invocation & { readonly invokeType?: string };
  if (invokeType !== "ui-remote-fetch") throw new Error("The sandbox has no resolver functions.");
  if (!METHODS.includes(method)) throw new Error(`Method ${method} isn't supported.`);
  if (!path.startsWith("/")) throw new Error("The path must begin with a slash.");
  if (body !== undefined && (typeof body !== "object" || Array.isArray(body)))
    throw new Error("The body must be a JSON object.");
  if (Buffer.byteLength(JSON.stringify(body ?? "")) > MAX_REQUEST_BYTES)
    throw new Error("The request is too large.");
  return { method, path, ...(headers && { headers }), ...(body !== undefined && { body }) };
}

function lowerCase(headers: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("The remote took longer than 25 seconds.")), TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function parseBody(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`Invalid response from remote - cannot parse body as JSON. Status: ${status}.`);
  }
}
