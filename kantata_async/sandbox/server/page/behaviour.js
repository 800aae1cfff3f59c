// Faults, limits, latency and switches. What is shown is what the sandbox says; a click only asks it to change.

import { byId, element, fill, prose, read, send } from "./dom.js";

const PRESETS = [
  ["Lose the answer to the next write", { kind: "disconnect", when: "after", method: "POST" }],
  ["503 from a proxy, three times", { kind: "proxy", status: 503, times: 3 }],
  ["429 twice, Retry-After 1", { kind: "status", status: 429, times: 2, headers: { "Retry-After": "1" } }],
  ["Hang for 10 seconds", { kind: "hang", seconds: 10 }],
  ["Cut the next answer in half", { kind: "cut", when: "after" }],
  ["Refuse the token once", { kind: "status", status: 401 }],
];
const WHOLE = ["times", "status", "requests"];

let described = [];
let current = { faults: [], limits: [], switches: {} };

export async function startBehaviour() {
  byId("presets").append(...PRESETS.map(([name, fault]) => button(name, () => send("POST", "faults", fault, `Fault added: ${name}`))));
  byId("clear-faults").addEventListener("click", () => send("DELETE", "faults", undefined, "No faults to come"));
  byId("reset").addEventListener("click", () => {
    if (confirm("Found the company again? What was written to it, the log and the faults are forgotten.")) send("POST", "reset", undefined, "The company is as it was");
  });
  onSubmit("fault-form", (fault) => send("POST", "faults", fault, "Fault added"));
  onSubmit("limit-form", (limit) => send("PUT", "limits", { limits: [...current.limits, limit] }, "Limit added"));
  onSubmit("latency-form", (change) => send("PUT", "switches", change, "Latency set"));
  described = (await read("switches")).switches;
  makeSwitches();
  updateSwitches();
}

export function updateBehaviour(state) {
  current = state;
  fill(byId("fault-list"), ...state.faults.map((fault) => element("li", {}, ...faultText(fault))));
  byId("fault-list").hidden = state.faults.length === 0;
  byId("clear-faults").disabled = state.faults.length === 0;
  fill(byId("limit-list"), ...state.limits.map(limitChip));
  byId("limit-list").hidden = state.limits.length === 0;
  const latency = byId("latency-form").elements.latency;
  if (latency !== document.activeElement) latency.value = state.latency;
  updateSwitches();
}

function button(text, act, properties = {}) {
  const made = element("button", { type: "button", textContent: text, ...properties });
  made.addEventListener("click", act);
  return made;
}

function onSubmit(id, act) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act(valuesOf(event.target));
  });
}

// What a form says: numbers as numbers, and nothing for a text that is empty, which means any.
function valuesOf(form) {
  const values = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.type === "number") values[field.name] = field.value === "" ? null : Number(field.value);
    else values[field.name] = field.value.trim() === "" ? null : field.value.trim();
    if (WHOLE.includes(field.name) && values[field.name] !== null) values[field.name] = Math.trunc(values[field.name]);
  }
  return values;
}

function faultText({ kind, when, method, path, times, probability, status, seconds }) {
  const about = [method, path].filter(Boolean).join(" ") || "any request";
  const notes = [
    when === "after" ? "after it was carried out" : null,
    status === null ? null : `status ${status}`,
    kind === "hang" ? `${seconds} s` : null,
    probability < 1 ? `chance ${probability}` : null,
  ].filter(Boolean);
  return [
    element("span", {}, element("b", { textContent: kind }), " ", element("code", { textContent: about }), notes.length ? ` ${notes.join(", ")}` : ""),
    element("span", { className: "count", textContent: times === null ? "always" : `${times} to come` }),
  ];
}

function limitChip({ requests, per, kind, method, path }, index) {
  const about = [method, path].filter(Boolean).join(" ");
  const text = `${requests} in ${per} s, ${kind.replace("_", " ")}`;
  const others = current.limits.filter((_, other) => other !== index);
  return element("li", {}, element("span", {}, text, ...(about ? [" ", element("code", { textContent: about })] : [])),
    button("Remove", () => send("PUT", "limits", { limits: others }, "Limit removed"), { className: "quiet", "aria-label": `Remove the limit ${text} ${about}`, dataset: { key: `limit ${index}` } }));
}

function makeSwitches() {
  byId("switch-list").append(...described.map((one) => element("li", { dataset: { name: one.name, kind: one.kind } },
    element("label", {}, field(one), element("span", { className: "name", textContent: one.name })),
    element("p", { id: `about-${one.name}` }, ...prose(one.about)))));
}

function updateSwitches() {
  for (const { name, default: usual } of described) {
    const value = current.switches[name];
    const line = byId("switch-list").querySelector(`[data-name="${name}"]`);
    line.dataset.changed = String(JSON.stringify(value) !== JSON.stringify(usual));
    const made = line.querySelector("input, select");
    if (made.type === "checkbox") made.checked = value === true;
    else if (made !== document.activeElement) made.value = written(made, value);
  }
}

function written(made, value) {
  if (made.tagName === "SELECT") return JSON.stringify(value ?? null);
  return Array.isArray(value) ? value.join(", ") : value ?? "";
}

function field({ name, kind, choices }) {
  const shared = { name, "aria-describedby": `about-${name}` };
  let made;
  if (kind === "flag") made = element("input", { ...shared, type: "checkbox", role: "switch" });
  else if (kind === "choice") made = element("select", shared, ...choices.map((choice) => element("option", { value: JSON.stringify(choice), textContent: choice ?? "none" })));
  else if (kind === "number") made = element("input", { ...shared, type: "number", min: 0, step: "any" });
  else made = element("input", { ...shared, type: "text", placeholder: "users.email_address", autocomplete: "off", spellcheck: false });
  made.addEventListener("change", () => send("PUT", "switches", { [name]: chosen(made, kind) }, `${name} is set`));
  return made;
}

function chosen(made, kind) {
  if (kind === "flag") return made.checked;
  if (kind === "choice") return JSON.parse(made.value);
  if (kind === "number") return Number(made.value);
  return made.value.split(",").map((one) => one.trim()).filter(Boolean);
}
