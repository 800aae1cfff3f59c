// The company as tables. The fragment of the address says what is shown: #/users?page=2, or #/users/7.

import { breakable, byId, element, fill, read } from "./dom.js";

const FIRST = "workspaces";
const DAY = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})/;

let tables = [];
let followed;
let turn = 0;

function address() {
  const [path, query] = (location.hash.startsWith("#/") ? location.hash.slice(2) : FIRST).split("?");
  const [collection, id] = path.split("/").map(decodeURIComponent);
  return { collection, id, query: Object.fromEntries(new URLSearchParams(query)) };
}

function link(collection, id, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined);
  const path = [collection, id].filter((part) => part !== undefined).map(encodeURIComponent).join("/");
  return `#/${path}${kept.length ? `?${new URLSearchParams(kept)}` : ""}`;
}

export function startCompany() {
  byId("table-filter").addEventListener("input", showTables);
  addEventListener("hashchange", () => { showTables(); showRecords(); });
  showRecords();
}

export function updateCompany(state, changed) {
  tables = state.tables;
  showTables();
  if (changed) showRecords();
}

function showTables() {
  const wanted = byId("table-filter").value.trim().toLowerCase().replaceAll(" ", "_");
  const current = address().collection;
  const found = tables.filter(({ name }) => name.includes(wanted));
  fill(byId("tables"), ...found.map(({ name, count }) => {
    const anchor = element("a", { href: link(name), dataset: { key: name } }, element("span", {}, ...breakable(name)), counted(count));
    if (name === current) anchor.setAttribute("aria-current", "page");
    return element("li", {}, anchor);
  }));
  if (current !== followed) follow(current);
}

// The list is long: the collection that is shown is scrolled into sight once, and the reader's scrolling then left alone.
function follow(collection) {
  const anchor = byId("tables").querySelector("[aria-current]");
  if (anchor === null) return;
  const list = byId("tables");
  list.scrollTop = anchor.offsetTop - list.clientHeight / 2;
  followed = collection;
}

const counted = (count) => element("span", { className: "count", textContent: count.toLocaleString("en") });

async function showRecords() {
  const own = ++turn;
  const { collection, id, query } = address();
  try {
    const answer = id === undefined ? await read("rows", { ...query, collection }) : await read("record", { collection, id });
    if (own === turn) fill(byId("records"), ...(id === undefined ? table(collection, query, answer) : record(collection, id, answer)));
  } catch (error) {
    if (own === turn) fill(byId("records"), element("p", { className: "empty", textContent: error.message }));
  }
}

function table(collection, query, answer) {
  const { columns, rows, count, page, pages } = answer;
  const chosen = query.attribute ? element("p", { className: "chosen" },
    "with ", element("code", { textContent: query.attribute }), " ", element("code", { textContent: query.value }), " ",
    element("a", { href: link(collection), textContent: "show all" })) : null;
  return [
    element("div", { className: "heading" },
      element("h3", {}, element("span", {}, ...breakable(collection)), counted(count)),
      search(collection, query)),
    ...(chosen ? [chosen] : []),
    rows.length ? scrolling(collection, grid(collection, query, columns, rows)) : element("p", { className: "empty", textContent: "No such records." }),
    ...(pages > 1 ? [paging(collection, query, page, pages)] : []),
  ];
}

function search(collection, query) {
  const field = element("input", { type: "search", value: query.search ?? "", placeholder: "Search", autocomplete: "off", "aria-label": `Search ${collection}`, dataset: { key: "search" } });
  field.addEventListener("change", () => { location.hash = link(collection, undefined, { ...query, search: field.value, page: "" }); });
  return field;
}

function scrolling(name, content) {
  return element("div", { className: "scrolling", tabIndex: 0, role: "region", "aria-label": `Records of ${name}` }, content);
}

function grid(collection, query, columns, rows) {
  const order = query.order ?? "id";
  const heads = columns.map((name) => {
    const next = order === name ? `-${name}` : name;
    const head = element("th", { scope: "col" }, element("a", { href: link(collection, undefined, { ...query, order: next, page: "" }), textContent: name, dataset: { key: `order ${name}` } }));
    if (order.replace(/^-/, "") === name) head.setAttribute("aria-sort", order.startsWith("-") ? "descending" : "ascending");
    return head;
  });
  const lines = rows.map(({ values, links }) => element("tr", {}, ...columns.map((name) => {
    const value = values[name];
    if (name === "id") return element("th", { scope: "row" }, element("a", { href: link(collection, value), textContent: value, dataset: { key: `id ${value}` } }));
    return element("td", { className: typeof value === "number" ? "number" : "" }, ...cell(value, links[name], `${values.id} ${name}`));
  })));
  return element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...lines));
}

function cell(value, links, key) {
  if (links) {
    const few = links.slice(0, 3).flatMap((one, index) => [
      ...(index ? [", "] : []),
      element("a", { href: link(one.collection, one.id), textContent: one.label, title: `${one.collection} ${one.id}`, dataset: { key: `${key} ${index}` } }),
    ]);
    return links.length > 3 ? [...few, ` and ${links.length - 3} more`] : few;
  }
  const text = plain(value);
  return [element("span", { className: typeof value === "boolean" ? `flag ${value ? "yes" : "no"}` : "", textContent: text, title: text.length > 28 || DAY.test(value) ? String(value) : "" })];
}

function plain(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return value.toLocaleString("en");
  if (typeof value === "object") return JSON.stringify(value);
  const day = DAY.exec(value);
  return day ? `${day[1]} ${day[2]}` : value;
}

function paging(collection, query, page, pages) {
  const step = (text, to) => (to < 1 || to > pages
    ? element("span", { className: "off", textContent: text })
    : element("a", { href: link(collection, undefined, { ...query, page: to }), textContent: text, dataset: { key: text } }));
  return element("nav", { className: "paging", "aria-label": "Pages" },
    step("Previous", page - 1), element("span", { textContent: `Page ${page} of ${pages}` }), step("Next", page + 1));
}

function record(collection, id, { label, columns, values, links, referring }) {
  const lines = columns.map((name) => {
    const missing = values[name] === null || values[name] === "";
    return element("div", {}, element("dt", {}, ...breakable(name)), element("dd", {}, ...(missing ? [element("span", { className: "flag no", textContent: values[name] === null ? "null" : "empty" })] : cell(values[name], links[name], name))));
  });
  const referred = referring.map((one) => element("li", {},
    element("a", { href: link(one.collection, undefined, { attribute: one.attribute, value: id }), dataset: { key: `${one.collection} ${one.attribute}` } },
      ...breakable(one.collection)), " ", counted(one.count), " by ", element("code", { textContent: one.attribute })));
  return [
    element("p", { className: "back" }, element("a", { href: link(collection), textContent: `All ${collection}`, dataset: { key: "back" } })),
    element("div", { className: "heading" }, element("h3", {}, element("span", { textContent: label }), element("span", { className: "count", textContent: `${collection} ${id}` }))),
    ...(referred.length ? [element("h4", { textContent: "Referred to by" }), element("ul", { className: "referring" }, ...referred)] : []),
    element("dl", { className: "record" }, ...lines),
  ];
}
