/** What the parts need of a logger; pino satisfies it. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLogger: Logger = { debug: noop, info: noop, warn: noop, error: noop };

function noop(): void {
  // says nothing
}
