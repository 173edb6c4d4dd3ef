// Answers documents at their exact addresses, and 503 for hosts under maintenance. Everything else goes to the origin.
// The program writes the two tables below this module: DOCUMENTS by "host/path", MAINTENANCE by host.
// A body is left out of the answer to HEAD by the runtime.

const READS = ["GET", "HEAD"];

export default {
  async fetch(request) {
    const { hostname, pathname } = new URL(request.url);
    const found = DOCUMENTS[hostname + pathname];
    if (found) return READS.includes(request.method) ? document(found) : refusal();
    const closed = MAINTENANCE[hostname];
    return closed ? maintenance(closed) : fetch(request);
  },
};

function document({ type, body }) {
  return answer(body, 200, { "content-type": type, "cache-control": "public, max-age=300" });
}

function refusal() {
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
  return answer("Only GET and HEAD.\n", 405, { ...headers, allow: READS.join(", ") });
}

function maintenance({ retryAfter, body }) {
  const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
  return answer(body, 503, { ...headers, "retry-after": String(retryAfter) });
}

function answer(body, status, headers) {
  return new Response(body, { status, headers: { ...headers, "x-content-type-options": "nosniff" } });
}
