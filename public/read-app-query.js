/** Both products leave parameters that begin so to apps. */
const QUERY_PREFIX = "ac.";

/**
 * What the address of the product's page says to the app's.
 *
 * @param {unknown} location
 */
export function readAppQuery(location) {
  const query = new URLSearchParams();
  if (typeof location !== "string" || !URL.canParse(location)) return query;
  for (const [name, value] of new URL(location).searchParams) {
    if (name.startsWith(QUERY_PREFIX)) query.append(name.slice(QUERY_PREFIX.length), value);
  }
  return query;
}
