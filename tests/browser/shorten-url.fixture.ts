/** For messages: tokens in queries make them long, and say nothing. */
export function shortenUrl(text: string): string {
  return text.replace(/(https?:\/\/[^\s?#]+)[?#][^\s)]*/g, "$1");
}
