// The requests as they come: one line each, which opens to show what was sent.

import { byId, element, read, send } from "./dom.js";

const KEPT = 300;

let paused = false;
let waiting = [];
const lines = new Map();

export function startRequests() {
  byId("request-filter").addEventListener("change", (event) => { byId("request-list").dataset.only = event.target.value; });
  byId("clear-log").addEventListener("click", () => send("DELETE", "log", undefined, "The log is empty"));
  byId("pause").addEventListener("click", (event) => {
    paused = !paused;
    event.target.setAttribute("aria-pressed", String(paused));
    event.target.textContent = paused ? "Go on" : "Pause";
    const missed = waiting;
    waiting = [];
    if (!paused) missed.forEach(({ requests, now }) => show(requests, now));
  });
}

export function forgetRequests() {
  waiting = [];
  lines.clear();
  byId("request-list").replaceChildren();
  byId("no-requests").hidden = false;
}

export function updateRequests(requests, now) {
  if (!paused) show(requests, now);
  else waiting = [...waiting, { requests, now }].slice(-KEPT);
}

function show(requests, now) {
  const list = byId("request-list");
  const at = Date.now() / 1000;
  for (const request of requests.slice(-KEPT)) {
    const known = lines.get(request.request_id);
    const line = known ?? lineOf(request, new Date((at - now + request.at) * 1000));
    describe(line, request);
    if (!known) {
      lines.set(request.request_id, line);
      list.prepend(line);
    }
  }
  while (list.children.length > KEPT) {
    lines.delete(list.lastChild.dataset.id);
    list.lastChild.remove();
  }
  byId("no-requests").hidden = lines.size > 0;
}

function lineOf(request, came) {
  const query = new URLSearchParams(request.query).toString();
  const sent = element("pre", { textContent: "…", tabIndex: 0 });
  const details = element("details", {},
    element("summary", {},
      element("span", { className: "status" }),
      element("span", { className: "method", textContent: request.method }),
      element("span", { className: "path" }, element("b", { textContent: request.path }), query ? element("i", { textContent: `?${decoded(query)}` }) : null),
      element("span", { className: "took" }),
      element("time", { textContent: came.toLocaleTimeString("en-GB"), dateTime: came.toISOString() })),
    sent);
  details.addEventListener("toggle", () => { if (details.open) open(request.request_id, sent); });
  return element("li", { dataset: { id: request.request_id, write: String(request.method !== "GET") } }, details);
}

// A query is read more easily without its escapes; one that cannot be read stays as it is.
function decoded(query) {
  try {
    return decodeURIComponent(query.replaceAll("+", " "));
  } catch {
    return query;
  }
}

function describe(line, { status, seconds, committed }) {
  const over = seconds !== null;
  const kind = !over ? "open" : status === null ? "cut" : status === 429 ? "refused" : status >= 400 ? "failed" : "fine";
  line.dataset.kind = kind;
  const mark = line.querySelector(".status");
  mark.textContent = { open: "…", cut: "cut" }[kind] ?? status;
  mark.title = { open: "not answered yet", cut: "the connection ended without an answer", refused: "refused by a limit" }[kind] ?? "";
  line.querySelector(".took").textContent = over ? `${seconds < 0.001 ? "< 1" : Math.round(seconds * 1000).toLocaleString("en")} ms` : "";
  line.dataset.committed = String(committed);
}

async function open(id, sent) {
  try {
    const { body, form, request_id, committed, query } = await read("request", { id });
    sent.textContent = JSON.stringify({ request_id, carried_out: committed, query, ...(body === null ? {} : { body }), ...(form === null ? {} : { form }) }, null, 2);
  } catch (error) {
    sent.textContent = error.message;
  }
}
