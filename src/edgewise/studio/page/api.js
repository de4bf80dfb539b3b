// Everything that the page asks of the server. The page's URL is the base of all addresses, so that
// it also works below a path of a reverse proxy.

const OURS = { "X-Edgewise": "1" };
const TRIES = 6;

export class ApiError extends Error {
  constructor(message, { status = 0, after = null } = {}) {
    super(message);
    this.status = status; // 0: no answer came
    this.after = after; // seconds to wait before another try
  }

  get offline() {
    return this.status === 0;
  }
}

const SILENT = "The server does not answer: start it again, and this page goes on where it was.";

export function address(path) {
  return new URL(path, document.baseURI).href;
}

function sentence(text, status) {
  try {
    const { error, detail } = JSON.parse(text);
    if (error || typeof detail === "string") return error || detail;
  } catch {
    // a proxy in between answers in its own words
  }
  return `The server answered with status ${status} and no reason.`;
}

function failure(status, text, after) {
  const seconds = Number(after);
  return new ApiError(sentence(text, status), {
    status,
    after: after && Number.isFinite(seconds) ? seconds : null,
  });
}

async function ask(path, { method = "GET", json, signal, keepalive, silent = SILENT } = {}) {
  const headers = { ...OURS };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const body = json === undefined ? undefined : JSON.stringify(json);
  let response;
  try {
    response = await fetch(address(path), { method, headers, body, signal, keepalive });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(silent);
  }
  if (response.ok) return response;
  throw failure(response.status, await response.text(), response.headers.get("Retry-After"));
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Ask again while the server says that it is full and when to come back. */
async function patiently(path, options = {}) {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await ask(path, options);
    } catch (error) {
      if (!(error instanceof ApiError) || error.after === null || left <= 1) throw error;
      options.onWait?.(error.after);
      await pause(error.after, options.signal);
    }
  }
}

async function json(path, options) {
  return (await patiently(path, options)).json();
}

const post = (path, body = {}, options = {}) =>
  json(path, { ...options, method: "POST", json: body });
const of = (id) => `api/documents/${encodeURIComponent(id)}`;
const entry = (key) => `api/queue/${encodeURIComponent(key)}`;

/** Send a photo and perhaps a mask; fetch cannot tell how much has been sent, this can. */
function upload(photo, mask, onProgress) {
  const form = new FormData();
  form.append("photo", photo, photo.name);
  if (mask) form.append("mask", mask, mask.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address("api/documents"));
    for (const [name, value] of Object.entries(OURS)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) =>
      event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => reject(new ApiError(SILENT));
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText));
      else
        reject(
          failure(request.status, request.responseText, request.getResponseHeader("Retry-After")),
        );
    };
    request.send(form);
  });
}

async function blob(path) {
  return (await patiently(path)).blob();
}

export const api = {
  info: () => json("api/info"),
  upload,
  document: (id) => json(of(id)),
  operate: (id, verb, body, options) => post(`${of(id)}/${verb}`, body, options),
  places: (id) => json(`${of(id)}/places`),
  file: (id, name) => blob(`${of(id)}/files/${name}`),
  photoTile: (id, level, column, row) =>
    address(`${of(id)}/photo/${level}/${column}/${row}.jpg`),
  maskTile: (id, which, revision, level, column, row) =>
    address(`${of(id)}/mask/${which}/${level}/${column}/${row}.png?revision=${revision}`),
  queue: () => json("api/queue"),
  openEntry: (key) => post(`${entry(key)}/open`),
  setStatus: (key, status, seconds) => post(`${entry(key)}/status`, { status, seconds }),
  /** The same as the page goes, which waits for no answer. */
  leave: (key, seconds) =>
    post(`${entry(key)}/status`, { status: null, seconds }, { keepalive: true }),
  exportAccepted: (signal) => post("api/queue/export", {}, { signal }),
  exportState: () => json("api/queue/export"),
};
