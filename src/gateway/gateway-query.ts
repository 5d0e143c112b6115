// What a URL may hold on the wire: the rest of it can't be sent on as it came.
const RAW = /^[\x21\x22\x24-\x7e]*$/;

/** Jira's old sign-in parameters are `os_username`, `os_password` and more of that name. */
const CREDENTIAL = /^(?:os_|(?:jwt|acpt|access_token|oauth_token)$)/i;

/** Why a query can't be sent on exactly as it came, or null when it can. Only the names of parameters are looked into. */
export function findQueryRefusal(query: string): string | null {
  if (!RAW.test(query)) return "The query has a character that must be percent-encoded.";
  // Some readers take `;` for a separator, too.
  for (const parameter of query.split(/[&;]/)) {
    const name = decodeName(parameter.split("=", 1)[0] ?? "");
    if (name === null) return "The name of a query parameter has a damaged percent escape.";
    if (CREDENTIAL.test(asRead(name))) {
      return "The query has a parameter that stands for credentials: jwt, acpt, access_token, oauth_token or os_….";
    }
  }
  return null;
}

/** As the most lenient reader takes it: up to a NUL, and one element of a list for the list. */
function asRead(name: string): string {
  return name.replace(/[\0[].*$/s, "").trim();
}

function decodeName(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}
