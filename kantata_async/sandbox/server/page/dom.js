// Elements and calls. Whatever comes from the sandbox becomes text, never markup.

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "dataset") Object.assign(made.dataset, value);
    else if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// New children for an element; what had the focus has it again, if it is still there.
export function fill(parent, ...children) {
  const key = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  parent.replaceChildren(...children);
  if (key !== undefined) {
    [...parent.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key)?.focus({ preventScroll: true });
  }
}

// A name of several parts, which may be broken between them.
export function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part, index) => (index ? [element("wbr"), part] : [part]));
}

// Words with `code` in them, as elements.
export function prose(text) {
  return text.split(/`+/).map((part, index) => (index % 2 ? element("code", { textContent: part }) : part));
}

let fading;

export function notify(text) {
  const notice = byId("notice");
  notice.textContent = text;
  notice.dataset.shown = "yes";
  clearTimeout(fading);
  fading = setTimeout(() => { notice.dataset.shown = "no"; }, 4000);
}

export async function read(path, query = {}) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`);
  if (!answer.ok) throw new Error(await problemOf(answer));
  return answer.json();
}

// Send a call and say how it went; whether it went well.
export async function send(method, path, body, done) {
  try {
    const answer = await fetch(path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    notify(answer.ok ? done : await problemOf(answer));
    return answer.ok;
  } catch {
    notify("The sandbox does not answer");
    return false;
  }
}

async function problemOf(answer) {
  try {
    return (await answer.json()).errors[0].message;
  } catch {
    return `The sandbox answered ${answer.status}`;
  }
}
