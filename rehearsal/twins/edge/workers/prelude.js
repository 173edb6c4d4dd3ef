// What a Worker finds in its global scope, as far as the twin knows it: URL, URLSearchParams, Headers, Request,
// Response and fetch. https://developers.cloudflare.com/workers/runtime-apis/
// The host calls __start(request) and then, for each entry of __asked, __settle(id, answer) or __refuse(id, reason).
"use strict";
(() => {
  class URLSearchParams {
    #pairs;
    constructor(text) {
      const decode = (part) => decodeURIComponent(part.replace(/\+/g, " "));
      this.#pairs = text
        .replace(/^\?/, "")
        .split("&")
        .filter(Boolean)
        .map((pair) => {
          const at = pair.indexOf("=");
          return at < 0 ? [decode(pair), ""] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
        });
    }
    get(name) {
      const found = this.#pairs.find(([key]) => key === name);
      return found === undefined ? null : found[1];
    }
    getAll(name) {
      return this.#pairs.filter(([key]) => key === name).map(([, value]) => value);
    }
    has(name) {
      return this.#pairs.some(([key]) => key === name);
    }
    [Symbol.iterator]() {
      return this.#pairs.map((pair) => [...pair])[Symbol.iterator]();
    }
  }

  const ADDRESS = /^(https?):\/\/([^/?#:]+)(?::(\d+))?([^?#]*)(\?[^#]*)?(#.*)?$/i;

  class URL {
    constructor(address, base) {
      const text = String(address);
      const whole = ADDRESS.test(text) || base === undefined ? text : new URL(base).origin + text;
      const found = ADDRESS.exec(whole);
      if (found === null) throw new TypeError(`Invalid URL string: ${whole}`);
      this.protocol = `${found[1].toLowerCase()}:`;
      this.hostname = found[2].toLowerCase();
      this.port = found[3] ?? "";
      this.pathname = found[4] || "/";
      this.search = found[5] && found[5] !== "?" ? found[5] : "";
      this.hash = found[6] ?? "";
    }
    get host() {
      return this.port ? `${this.hostname}:${this.port}` : this.hostname;
    }
    get origin() {
      return `${this.protocol}//${this.host}`;
    }
    get href() {
      return this.origin + this.pathname + this.search + this.hash;
    }
    get searchParams() {
      return new URLSearchParams(this.search);
    }
    toString() {
      return this.href;
    }
    toJSON() {
      return this.href;
    }
  }

  class Headers {
    #pairs = [];
    constructor(init = []) {
      const pairs = init instanceof Headers || Array.isArray(init) ? [...init] : Object.entries(init);
      for (const [name, value] of pairs) this.append(name, value);
    }
    append(name, value) {
      if (/[^\x00-\xff]/.test(name + value)) throw new TypeError(`Invalid header value: ${value}`);
      this.#pairs.push([String(name).toLowerCase(), String(value)]);
    }
    set(name, value) {
      this.delete(name);
      this.append(name, value);
    }
    delete(name) {
      const unwanted = String(name).toLowerCase();
      this.#pairs = this.#pairs.filter(([key]) => key !== unwanted);
    }
    has(name) {
      return this.get(name) !== null;
    }
    get(name) {
      const wanted = String(name).toLowerCase();
      const found = this.#pairs.filter(([key]) => key === wanted).map(([, value]) => value);
      return found.length === 0 ? null : found.join(", ");
    }
    [Symbol.iterator]() {
      return this.#pairs.map((pair) => [...pair])[Symbol.iterator]();
    }
    entries() {
      return this[Symbol.iterator]();
    }
  }

  const unread = (what) => () => Promise.reject(new TypeError(`the edge twin shows a Worker no body of a ${what}`));

  class Request {
    constructor(input, init = {}) {
      const from = input instanceof Request ? input : { url: new URL(input).href, method: "GET", headers: [] };
      this.url = from.url;
      this.method = (init.method ?? from.method).toUpperCase();
      this.headers = new Headers(init.headers ?? from.headers);
    }
    clone() {
      return new Request(this);
    }
  }
  for (const name of ["text", "json", "arrayBuffer", "formData"]) Request.prototype[name] = unread("request");

  // A body that came from the origin stays with the host: here it is only `{held: id}`.
  class Response {
    constructor(body = null, init = {}) {
      this.status = init.status ?? 200;
      this.headers = new Headers(init.headers ?? []);
      if (!Number.isInteger(this.status) || this.status < 200 || this.status > 599) {
        throw new RangeError(`Responses may only be constructed with status codes in the range 200 to 599: ${this.status}`);
      }
      if (body !== null && [204, 205, 304].includes(this.status)) {
        throw new TypeError(`Response with null body status (${this.status}) cannot have a body.`);
      }
      this.body = body === null || typeof body === "object" ? body : String(body);
      if (typeof this.body === "string" && !this.headers.has("content-type")) {
        this.headers.set("content-type", "text/plain;charset=UTF-8");
      }
    }
    get ok() {
      return this.status < 300;
    }
    static redirect(address, status = 302) {
      return new Response(null, { status, headers: { location: new URL(address).href } });
    }
    static json(value, init = {}) {
      const headers = new Headers(init.headers ?? []);
      if (!headers.has("content-type")) headers.set("content-type", "application/json");
      return new Response(JSON.stringify(value), { ...init, headers });
    }
  }
  for (const name of ["text", "json", "arrayBuffer"]) Response.prototype[name] = unread("response");

  const waiting = new Map();
  globalThis.__asked = [];
  const fetch = (input, init) =>
    new Promise((resolve, reject) => {
      const request = new Request(input, init);
      const id = waiting.size;
      waiting.set(id, { resolve, reject });
      globalThis.__asked.push({ id, url: request.url, method: request.method, headers: [...request.headers] });
    });
  globalThis.__settle = (id, answer) => {
    const { status, headers } = JSON.parse(answer);
    waiting.get(id).resolve(new Response({ held: id }, { status, headers }));
  };
  globalThis.__refuse = (id, reason) => waiting.get(id).reject(new TypeError(reason));

  const shown = (response) => {
    if (!(response instanceof Response)) throw new TypeError("Promise did not resolve to 'Response'.");
    const { status, headers, body } = response;
    return { status, headers: [...headers], body };
  };
  globalThis.__start = (request, bindings) => {
    const { url, method, headers } = JSON.parse(request);
    globalThis.__outcome = null;
    globalThis.__passes = false;
    const context = {
      waitUntil() {},
      passThroughOnException() {
        globalThis.__passes = true;
      },
    };
    Promise.resolve()
      .then(() => globalThis.__worker.fetch(new Request(url, { method, headers }), JSON.parse(bindings), context))
      .then((response) => (globalThis.__outcome = JSON.stringify({ response: shown(response) })))
      .catch((error) => (globalThis.__outcome = JSON.stringify({ error: String(error) })));
  };
  Object.assign(globalThis, { URL, URLSearchParams, Headers, Request, Response, fetch });
})();
