// Runs a page's script over a document that has nothing but text, hidden flags and children; reads what to play from stdin
// as {script, hidden: {id: bool}, path, key, answers: {path: {status, body}}, typed}, and prints what is to be seen.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

const asked = JSON.parse(readFileSync(0));
const made = [];

class Element {
  #text = "";
  constructor(tag, hidden = false) {
    Object.assign(this, { tag, hidden, children: [], listeners: {}, value: "", focused: false });
    made.push(tag);
  }
  get textContent() {
    return this.#text + this.children.map((one) => one.textContent ?? one).join("");
  }
  set textContent(text) {
    this.#text = String(text);
    this.children = [];
  }
  set innerHTML(_) {
    throw new Error("markup is written");
  }
  append(...children) {
    this.children.push(...children);
  }
  replaceChildren(...children) {
    this.textContent = "";
    this.append(...children);
  }
  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }
  focus() {
    this.focused = true;
  }
}

const kept = new Map(asked.key ? [["habeas-key", asked.key]] : []);
const elements = Object.fromEntries(Object.entries(asked.hidden).map(([id, hidden]) => [id, new Element(id, hidden)]));
const sent = [];
let polls = 0;
made.length = 0;
Object.assign(globalThis, {
  location: { pathname: asked.path },
  document: { title: "", getElementById: (id) => elements[id] ?? null, createElement: (tag) => new Element(tag) },
  sessionStorage: {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => kept.set(name, value),
    removeItem: (name) => kept.delete(name),
  },
  setTimeout: () => ++polls,
  clearTimeout: () => {},
  fetch: async (path, { headers }) => {
    sent.push({ path, ...headers });
    const answer = asked.answers[path];
    if (!answer) throw new TypeError("fetch failed");
    return { ok: answer.status < 400, status: answer.status, json: async () => answer.body };
  },
});

const settled = () => new Promise((resolve) => setImmediate(resolve));
runInThisContext(asked.script);
await settled();
if (asked.typed) {
  elements.key.value = asked.typed;
  elements["key-form"].listeners.submit({ preventDefault() {} });
  await settled();
}
const seen = (one) => (one.tag ? { tag: one.tag, text: one.textContent, children: one.children.map(seen) } : one);
const told = Object.fromEntries(
  Object.entries(elements).map(([id, one]) => [id, { ...seen(one), hidden: one.hidden, focused: one.focused }]),
);
console.log(JSON.stringify({ elements: told, made, sent, polls, title: document.title, kept: [...kept.values()] }));
