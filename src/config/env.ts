/** The variables the app reads, as they are. Only this file touches process.env; an empty value counts as unset. */
export type Env = Readonly<Record<string, string | undefined>>;

export function readEnv(): Env {
  return withoutEmpty(process.env);
}

export function withoutEmpty(env: Env): Env {
  return Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
}
