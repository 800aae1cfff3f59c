// What the sandbox tells, and which section hears of it.

import { startBehaviour, updateBehaviour } from "./behaviour.js";
import { startCompany, updateCompany } from "./company.js";
import { byId, notify } from "./dom.js";
import { forgetPlot, startPlot, updateLimits, updatePlot } from "./plot.js";
import { forgetRequests, startRequests, updateRequests } from "./requests.js";

let version;

function forget() {
  forgetRequests();
  forgetPlot();
}

function live(yes) {
  byId("connection").dataset.live = yes ? "yes" : "no";
  byId("connection").textContent = yes ? "Live" : "Not connected";
}

function listen() {
  const events = new EventSource("events");
  events.addEventListener("open", () => { forget(); live(true); });
  events.addEventListener("error", () => live(false));
  events.addEventListener("state", ({ data }) => {
    const state = JSON.parse(data);
    byId("base-url").textContent = state.url;
    updateCompany(state, version !== undefined && version !== state.version);
    version = state.version;
    updateBehaviour(state);
    updateLimits(state);
  });
  events.addEventListener("requests", ({ data }) => {
    const { cleared, now, requests } = JSON.parse(data);
    if (cleared) forget();
    updateRequests(requests, now);
    updatePlot(requests, now);
  });
}

// On a narrow window one section shows at a time.
function show(view) {
  document.body.dataset.view = view;
  for (const one of document.querySelectorAll("[data-show]")) one.setAttribute("aria-pressed", String(one.dataset.show === view));
}

for (const one of document.querySelectorAll("[data-show]")) one.addEventListener("click", () => show(one.dataset.show));
byId("copy-url").addEventListener("click", async () => {
  await navigator.clipboard.writeText(byId("base-url").textContent);
  notify("The address is copied");
});
startCompany();
startRequests();
startPlot();
startBehaviour();
listen();
