/** An AUD tag as people paste it (spaces around it, upper case), in the stored form; null when it isn't one. */
export function parseAudience(text: string): string | null {
  const audience = text.trim().toLowerCase();
  return /^[0-9a-f]{64}$/.test(audience) ? audience : null;
}
