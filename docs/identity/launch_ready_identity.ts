/**
 * Sign the client_reference_id of a Stripe payment link, so that the payer cannot type somebody else's.
 *
 * Copy this file into the app's server. It needs Web Crypto: Node 20, Deno, Bun, Cloudflare Workers, Vercel Edge
 * (on Node 18, start with --experimental-global-webcrypto). Never ship the key to a browser or a phone: who has it can
 * name anybody. The format, and what it is worth, is in identity.md beside this file.
 */

export const MAX_USER_BYTES = 114; // of UTF-8; what Stripe's 200 characters leave for the user id
export const MIN_KEY = 32; // characters

const PREFIX = "lr1_";
const DOMAIN = "launch-ready reference v1\0";
// No control, format or unassigned character, no lone surrogate, and of the spaces only the usual one.
const PRINTABLE = /^(?: |[^\p{C}\p{Z}])+$/u;

/**
 * The client_reference_id that names `userId`. `key` is the identity secret's "current", as it is written there.
 *
 * RangeError for a user id that is empty, not printable or too long, and for a key that is too short.
 */
export async function signReference(userId: string, key: string): Promise<string> {
  if (!PRINTABLE.test(userId)) {
    throw new RangeError("a user id must be a printable text that is not empty");
  }
  const utf8 = new TextEncoder();
  const said = utf8.encode(userId);
  if (said.length > MAX_USER_BYTES) {
    throw new RangeError(`a user id has at most ${MAX_USER_BYTES} bytes of UTF-8 here, got ${said.length}`);
  }
  const characters = [...key].length;
  if (characters < MIN_KEY) {
    throw new RangeError(`an identity key has at least ${MIN_KEY} characters, got ${characters}`);
  }
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const signing = await crypto.subtle.importKey("raw", utf8.encode(key), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", signing, utf8.encode(DOMAIN + userId));
  return PREFIX + base64url(new Uint8Array(mac)) + base64url(said);
}

function base64url(raw: Uint8Array): string {
  return btoa(String.fromCharCode(...raw)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
