// All that a hostile page can send to an address, each with all that the page can see of it. Classic, so that it also
// runs inline in a frame without an origin. What was seen is a list of words; whatever was readable stands in it.

const ATTACKS = {
  // Requests of scripts.
  get: (url) => read(url),
  getCredentials: (url) => read(url, { credentials: "include" }),
  getAuthorization: (url) => read(url, { headers: { Authorization: "Bearer stolen" } }),
  getHeader: (url) => read(url, { headers: { "X-Hostile": "1" } }),
  getWorkerHeader: (url) => read(url, { headers: { "Service-Worker": "script" } }),
  head: (url) => read(url, { method: "HEAD" }),
  postJson: (url) => read(url, { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }),
  postText: (url) => read(url, { method: "POST", body: "{}" }),
  postForm: (url) => read(url, { method: "POST", body: new URLSearchParams({ grant_type: "refresh_token" }) }),
  postMultipart: (url) => read(url, { method: "POST", body: form() }),
  postBlob: (url) => read(url, { method: "POST", body: new Blob(["{}"]) }), // no type at all
  postKeepalive: (url) => read(url, { method: "POST", body: "{}", keepalive: true }),
  postCredentials: (url) => read(url, { method: "POST", body: "{}", credentials: "include" }),
  remove: (url) => read(url, { method: "DELETE" }),
  put: (url) => read(url, { method: "PUT", body: "{}" }),
  getNoCors: (url) => read(url, { mode: "no-cors" }),
  postNoCors: (url) => read(url, { mode: "no-cors", method: "POST", body: "{}" }),
  postFormNoCors: (url) => read(url, { mode: "no-cors", method: "POST", body: new URLSearchParams({ a: "1" }) }),
  getNoCorsCredentials: (url) => read(url, { mode: "no-cors", credentials: "include" }),
  xhr: (url) => request(url),
  beacon: (url) => [typeof navigator.sendBeacon(url, "{}")],
  events: (url) => stream(url),
  socket: (url) => socket(url),

  // Scripts that would run here or in a worker of this page.
  script: (url) => runs((ran) => element("script", { src: url }, ran)),
  module: (url) => runs((ran) => element("script", { src: url, type: "module" }, ran)),
  dynamicImport: (url) => runs(() => tried(import(url))),
  importScripts: (url) => inWorker((address) => { importScripts(address); return ["imported"]; }, url),
  workerFetch: (url) => inWorker((address) => read(address), url, [outcome, read]),
  workerEvents: (url) => inWorker((address) => stream(address), url, [stream]),
  workerSocket: (url) => inWorker((address) => socket(address), url, [socket]),
  worker: (url) => made(() => new Worker(url)),
  sharedWorker: (url) => made(() => new SharedWorker(url)),
  serviceWorker: (url) => tried((async () => await navigator.serviceWorker.register(url))()),

  // Elements.
  image: (url) => element("img", { src: url }, (it) => [it.naturalWidth]),
  imageCors: (url) => element("img", { src: url, crossOrigin: "anonymous" }, (it) => [it.naturalWidth]),
  inputImage: (url) => element("input", { type: "image", src: url }, (it) => [it.naturalWidth ?? 0]),
  video: (url) => element("video", { src: url, preload: "auto" }, (it) => [it.videoWidth]),
  audio: (url) => element("audio", { src: url, preload: "auto" }, (it) => [it.readyState]),
  stylesheet: (url) => element("link", { rel: "stylesheet", href: url }, (it) => [rules(it.sheet)]),
  preloadScript: (url) => element("link", { rel: "preload", as: "script", href: url }),
  preloadFetch: (url) => element("link", { rel: "preload", as: "fetch", crossOrigin: "anonymous", href: url }),
  modulePreload: (url) => element("link", { rel: "modulepreload", href: url }),
  object: (url) => element("object", { data: url }, content),
  embed: (url) => element("embed", { src: url }, content),
  iframe: (url) => element("iframe", { src: url }, content),
  font: (url) => tried(new FontFace("hostile", `url(${url})`).load()),

  // Elements that tell nothing: what they reach shows at the other end.
  prefetch: (url) => untold("link", { rel: "prefetch", href: url }),
  manifest: (url) => untold("link", { rel: "manifest", href: url }),
  icon: (url) => untold("link", { rel: "icon", href: url }),
  background: (url) => untold("p", { style: `background-image: url(${url})`, textContent: "x" }),
  styleImport: (url) => untold("style", { textContent: `@import "${url}";` }),
  prefetchRules: (url) => untold("script", { type: "speculationrules", textContent: speculation("prefetch", url) }),
  prerenderRules: (url) => untold("script", { type: "speculationrules", textContent: speculation("prerender", url) }),

  // Forms, each into a frame of its own.
  formGet: (url) => submits(url, "GET", "application/x-www-form-urlencoded"),
  formPost: (url) => submits(url, "POST", "application/x-www-form-urlencoded"),
  formPostText: (url) => submits(url, "POST", "text/plain"),
  formPostMultipart: (url) => submits(url, "POST", "multipart/form-data"),
};

const DEADLINE_MS = 10_000;
const MUTE = /^(embed|form|iframe)/; // where Firefox never tells of a failure, and takes JSON for a download

/** Run `kinds` of attack against each of `paths` of `base`; return what was seen, by kind and path; `mute` in ms. */
async function attack({ base, kinds, paths, mute }) {
  performance.setResourceTimingBufferSize?.(100_000);
  const seen = {};
  for (const kind of kinds) {
    const tries = paths.map(async (path) => {
      const scheme = /socket/i.test(kind) ? base.replace(/^http/, "ws") : base;
      // Hello refuses a query that it does not know; with this one it answers a stranger as it answers everybody.
      const known = `?nonce=${kind.padEnd(32, "_")}&key=${"A".repeat(43)}`;
      const mark = path === "/v1/hello" ? known : `${path.includes("?") ? "&" : "?"}attack=${kind}`;
      const url = `${scheme}${path}${mark}`;
      const deadline = MUTE.test(kind) ? mute : DEADLINE_MS;
      const late = new Promise((resolve) => setTimeout(resolve, deadline, ["silence"]));
      const told = await Promise.race([Promise.resolve().then(() => ATTACKS[kind](url)).catch(threw), late]);
      return [path, [...told.map(String), ...timing(url)]];
    });
    seen[kind] = Object.fromEntries(await Promise.all(tries));
  }
  return seen;
}

/** As `attack`, by a frame without an origin: `how` is "sandbox" or "data". */
async function attackFrom(how, orders) {
  const source = await (await fetch("/attacks.js")).text();
  const run = `attack(${JSON.stringify(orders)}).then((seen) => parent.postMessage(seen, "*"))`;
  const page = `<!doctype html><body><script>${source}<\/script><script>${run}<\/script>`; // \/: inline, this is inline
  const frame = document.createElement("iframe");
  frame.allow = "loopback-network *; local-network *; local-network-access *";
  if (how === "sandbox") {
    frame.sandbox = "allow-scripts allow-forms allow-popups";
    frame.srcdoc = page;
  } else {
    frame.src = `data:text/html;charset=utf-8,${encodeURIComponent(page)}`;
  }
  const told = new Promise((resolve) => addEventListener("message", ({ origin, data }) => resolve({ origin, data })));
  document.body.append(frame);
  const { origin, data } = await told;
  frame.remove();
  return { origin, seen: data };
}

/** Open a window at `url`, look into it as far as a page may, and close it. */
async function popup(url) {
  const opened = window.open(url);
  if (opened === null) return ["blocked"];
  const end = Date.now() + DEADLINE_MS;
  const isBlank = () => {
    try {
      return ["", "about:blank"].includes(opened.location.href);
    } catch {
      return false; // it has arrived where this page may not look
    }
  };
  while (isBlank() && !opened.closed && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  const seen = [look(() => opened.document.body.innerText), look(() => opened.location.href), look(() => opened.length)];
  opened.close();
  return seen.map(String);
}

/** Post a form to `url` in a window of its own. */
function posts(url, enctype) {
  const it = Object.assign(document.createElement("form"), { action: url, method: "POST", enctype, target: "_blank" });
  it.append(Object.assign(document.createElement("input"), { name: '{"a":"', value: '"}' }));
  document.body.append(it);
  it.submit();
}

// What follows is what the attacks are made of.

function outcome(answer, text) {
  return answer.type === "opaque" ? ["opaque"] : [answer.status, [...answer.headers.keys()].sort().join(), text];
}

async function read(url, init = {}) {
  const answer = await fetch(url, { cache: "no-store", ...init });
  return outcome(answer, await answer.text());
}

function threw() {
  return ["threw"]; // its words are for people, and each browser's own
}

async function tried(promise) {
  return await promise.then(() => ["done"], threw);
}

function made(make) {
  return new Promise((resolve) => {
    const it = make();
    it.onerror = () => resolve(["error"]);
    (it.port ?? it).onmessage = () => resolve(["message"]);
  });
}

function form() {
  const data = new FormData();
  data.set("a", "1");
  return data;
}

function request(url) {
  return new Promise((resolve) => {
    const it = new XMLHttpRequest();
    it.onloadend = () => resolve(it.status === 0 ? ["threw"] : [it.status, it.responseText]);
    it.open("GET", url);
    it.send();
  });
}

function stream(url) {
  return new Promise((resolve) => {
    const seen = [];
    const it = new EventSource(url);
    it.onopen = () => seen.push("open");
    it.onmessage = ({ data }) => resolve([...seen, data]);
    it.onerror = () => {
      it.close();
      resolve([...seen, "error"]);
    };
  });
}

function socket(url) {
  return new Promise((resolve) => {
    const seen = [];
    const it = new WebSocket(url, ["tollbridge.v1", "ticket.stolen"]);
    it.onopen = () => seen.push("open");
    it.onmessage = ({ data }) => seen.push(data);
    it.onclose = ({ code, reason }) => resolve([...seen, code, reason]);
  });
}

/** Run `look` while `canaries` and errors of scripts are watched: what ran or complained here stands in what it saw. */
async function runs(look) {
  const errors = [];
  const hear = ({ message, filename }) => filename.startsWith("http://") && errors.push(message);
  addEventListener("error", hear);
  const seen = await look(() => []);
  removeEventListener("error", hear);
  return [...seen, ...errors, ...(self.canary === undefined ? [] : ["ran"])];
}

function element(tag, properties, more = () => []) {
  return new Promise((resolve) => {
    const it = Object.assign(document.createElement(tag), properties);
    for (const name of ["load", "loadeddata", "error"]) {
      it.addEventListener(name, () => {
        resolve([name, ...more(it)]);
        it.remove();
      });
    }
    document.body.append(it);
  });
}

function untold(tag, properties) {
  document.body.append(Object.assign(document.createElement(tag), properties));
  return [];
}

function look(at) {
  try {
    return at();
  } catch {
    return "hidden";
  }
}

function content(it) {
  const text = look(() => it.contentDocument?.body?.innerText ?? "hidden");
  return [text, look(() => it.contentWindow?.length ?? 0)];
}

function rules(sheet) {
  return sheet === null ? "no sheet" : look(() => sheet.cssRules.length);
}

function speculation(how, url) {
  return JSON.stringify({ [how]: [{ source: "list", urls: [url] }] });
}

function submits(url, method, enctype) {
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.name = `frame${Math.random()}`;
    document.body.append(frame);
    // A frame's first, empty document has loaded by now in one browser and not yet in the other.
    setTimeout(() => {
      const it = Object.assign(document.createElement("form"), { action: url, method, enctype, target: frame.name });
      it.append(Object.assign(document.createElement("input"), { name: '{"a":"', value: '"}' })); // JSON, as text/plain
      if (method === "GET") it.append(Object.assign(document.createElement("input"), { name: "attack", value: "formGet" }));
      frame.addEventListener("load", () => {
        resolve(["load", ...content(frame)]);
        frame.remove();
      });
      document.body.append(it);
      it.submit();
      it.remove();
    });
  });
}

/** Run `task`, which may use `parts`, in a worker of this page. */
async function inWorker(task, url, parts = []) {
  const source = [
    ...parts,
    `Promise.resolve().then(() => (${task})(${JSON.stringify(url)}))`,
    `.catch(() => ["threw"]).then((seen) => postMessage(self.canary === undefined ? seen : [...seen, "ran"]))`,
  ];
  const address = URL.createObjectURL(new Blob([source.join("\n")], { type: "text/javascript" }));
  const it = new Worker(address);
  const seen = await new Promise((resolve) => {
    it.onmessage = ({ data }) => resolve(data);
    it.onerror = () => resolve(["error"]);
  });
  it.terminate();
  URL.revokeObjectURL(address);
  return seen;
}

/** What the browser's own clock tells beyond the time: a status, a size, a protocol. */
function timing(url) {
  const told = performance.getEntriesByName(url).flatMap((entry) => [
    entry.responseStatus || [], entry.transferSize || [], entry.decodedBodySize || [], entry.nextHopProtocol || [],
    entry.contentType || [], entry.serverTiming?.map(({ name }) => name) ?? [],
  ].flat());
  return told.length === 0 ? [] : [`timing ${told.join()}`];
}
