// Requests a second in the last minute, against the limit.

import { byId } from "./dom.js";

const SECONDS = 60;
const HEIGHT = 150;
const EDGE = { left: 34, right: 46, top: 10, bottom: 20 };
const SVG = "http://www.w3.org/2000/svg";

let came = new Map();
let limits = [];
let offset = 0;

export function startPlot() {
  new ResizeObserver(draw).observe(byId("plot"));
  setInterval(draw, 1000);
}

export function forgetPlot() {
  came = new Map();
  draw();
}

export function updatePlot(requests, now) {
  offset = now - performance.now() / 1000;
  for (const { request_id, at, status } of requests) came.set(request_id, { at, refused: status === 429 });
  draw();
}

export function updateLimits(state) {
  limits = state.limits;
  draw();
}

// The limits that count every request, as requests a second.
function rates() {
  return limits.filter(({ method, path }) => method === null && path === null).map(({ requests, per }) => requests / per);
}

function counted(now) {
  const bars = Array.from({ length: SECONDS }, () => ({ through: 0, refused: 0 }));
  for (const [id, { at, refused }] of came) {
    const ago = Math.floor(now) - Math.floor(at);
    if (ago >= SECONDS) came.delete(id);
    else bars[SECONDS - 1 - Math.max(0, ago)][refused ? "refused" : "through"] += 1;
  }
  return bars;
}

function draw() {
  const bars = counted(performance.now() / 1000 + offset);
  const rate = rates().length ? Math.min(...rates()) : null;
  const busiest = Math.max(...bars.map(({ through, refused }) => through + refused));
  const top = ceiling(Math.max(5, busiest, (rate ?? 0) * 1.2));
  const width = Math.max(240, byId("plot").clientWidth);
  const across = (second) => EDGE.left + (second / SECONDS) * (width - EDGE.left - EDGE.right);
  const up = (value) => HEIGHT - EDGE.bottom - (value / top) * (HEIGHT - EDGE.top - EDGE.bottom);

  const svg = shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" });
  for (const value of [0, top / 2, top]) {
    svg.append(shape("line", { class: "rule", x1: EDGE.left, x2: width - EDGE.right, y1: up(value), y2: up(value) }),
      label(short(value), EDGE.left - 6, up(value) + 4, "end"));
  }
  const thick = Math.max(1, across(1) - across(0) - 2);
  bars.forEach(({ through, refused }, second) => {
    if (through) svg.append(shape("rect", { class: "through", x: across(second) + 1, width: thick, y: up(through), height: up(0) - up(through) }));
    if (refused) svg.append(shape("rect", { class: "refused", x: across(second) + 1, width: thick, y: up(through + refused), height: up(through) - up(through + refused) }));
  });
  if (rate !== null) {
    svg.append(shape("line", { class: "limit", x1: EDGE.left, x2: width - EDGE.right, y1: up(rate), y2: up(rate) }),
      label(`${short(rate)}/s`, width - EDGE.right + 6, up(rate) + 4, "start", "limit"));
  }
  svg.append(label("a minute ago", EDGE.left, HEIGHT - 5, "start"), label("now", width - EDGE.right, HEIGHT - 5, "end"));
  byId("plot").replaceChildren(svg);
  say(bars, rate);
}

function say(bars, rate) {
  const sum = (name) => bars.reduce((total, bar) => total + bar[name], 0);
  const last = bars[SECONDS - 1];
  const through = sum("through");
  const refused = sum("refused");
  byId("figure-now").textContent = (last.through + last.refused).toLocaleString("en");
  byId("figure-minute").textContent = (through + refused).toLocaleString("en");
  byId("figure-refused").textContent = refused.toLocaleString("en");
  byId("figure-refused").dataset.some = String(refused > 0);
  const limit = rate === null ? "no general limit" : `a limit of ${short(rate)} a second`;
  byId("plot").setAttribute("aria-label", `Requests in the last minute: ${through} let through, ${refused} refused, under ${limit}`);
}

// The next number above that reads well: 1, 2 or 5 with zeros, halved without a fraction.
function ceiling(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((step) => step * unit).find((step) => step >= value);
}

const short = (value) => Number(value.toPrecision(3)).toLocaleString("en");

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function label(text, x, y, anchor, kind = "axis") {
  const made = shape("text", { x, y, "text-anchor": anchor, class: kind });
  made.textContent = text;
  return made;
}
