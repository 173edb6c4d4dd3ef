// Answers documents at their exact addresses, and 503 for hosts under maintenance. Everything else goes to the origin.
// The program writes the two tables below this module: DOCUMENTS by "host/path", MAINTENANCE by host.

const READS = ["GET", "HEAD"];

export default {
  async fetch(request) {
    const { hostname, pathname } = new URL(request.url);
    const found = DOCUMENTS[hostname + pathname];
    if (found) return document(found, request.method);
    const closed = MAINTENANCE[hostname];
    return closed ? maintenance(closed, request.method) : fetch(request);
  },
};

function document({ type, body }, method) {
  if (!READS.includes(method)) {
    return answer("Only GET and HEAD.\n", 405, method, { allow: READS.join(", "), "cache-control": "no-store" });
  }
  return answer(body, 200, method, { "content-type": type, "cache-control": "public, max-age=300" });
}

function maintenance({ retryAfter, body }, method) {
  const headers = { "retry-after": String(retryAfter), "cache-control": "no-store" };
  return answer(body, 503, method, { "content-type": "text/html; charset=utf-8", ...headers });
}

function answer(body, status, method, headers) {
  const known = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
  return new Response(method === "HEAD" ? null : body, { status, headers: { ...known, ...headers } });
}
