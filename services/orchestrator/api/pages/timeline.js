"use strict";
const id = decodeURIComponent(location.pathname.split("/").pop());
const at = (name) => document.getElementById(name);
const over = new Set(["completed", "refused", "cancelled", "lapsed", "merged"]);
const another = new Set([401, 403, 404]); // with another key it may be there to see
const POLL = 2000;
let timer = 0;

at("request-id").textContent = id;
document.title = "Request " + id + " - Habeas";
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("habeas-key", at("key").value.trim());
  at("key").value = "";
  refresh();
});
at("forget").addEventListener("click", () => {
  sessionStorage.removeItem("habeas-key");
  ask("");
});

async function read(path) {
  const headers = { authorization: "Bearer " + sessionStorage.getItem("habeas-key") };
  const answer = await fetch(path, { headers, cache: "no-store" });
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(body.detail), { status: answer.status });
  return body;
}

async function all(path) {
  const found = [];
  for (let cursor = ""; cursor !== null; ) {
    const page = await read(path + (cursor && "?cursor=" + encodeURIComponent(cursor)));
    found.push(...page.data);
    cursor = page.next_cursor;
  }
  return found;
}

async function refresh() {
  clearTimeout(timer);
  if (!sessionStorage.getItem("habeas-key")) return ask("");
  const base = "/v1/requests/" + encodeURIComponent(id);
  try {
    const [request, tasks, timeline] = await Promise.all([read(base), all(base + "/tasks"), all(base + "/timeline")]);
    show(request, tasks, timeline);
    if (!over.has(request.state)) timer = setTimeout(refresh, POLL);
  } catch (error) {
    if (another.has(error.status)) return ask(error.message);
    say("problem", error.status ? error.message : "The service cannot be reached; trying again.");
    timer = setTimeout(refresh, POLL);
  }
}

function ask(problem) {
  clearTimeout(timer);
  say("problem", problem);
  at("shown").hidden = true;
  at("key-form").hidden = false;
  at("key").focus();
}

function say(name, text) {
  at(name).textContent = text;
  at(name).hidden = !text;
}

function show(request, tasks, timeline) {
  say("problem", "");
  at("key-form").hidden = true;
  at("shown").hidden = false;
  const needed = request.attention;
  say("attention", needed ? "Needs a person: " + words(needed.reason) + (needed.processor ? " (" + needed.processor + ")" : "") : "");
  const facts = [
    ["Right", words(request.right)],
    ["State", words(request.state)],
    ["Outcome", request.outcome ? words(request.outcome.headline) : "not yet"],
    ["Due on", request.due_on + (request.overdue ? " (overdue)" : "")],
    ["Received", moment(request.received_at)],
    ["Completed", moment(request.completed_at) || "not yet"],
    ["Person told", moment(request.informed_at) || "not yet"],
    ...(request.follows ? [["Follows", request.follows + " (" + words(request.cause) + ")"]] : []),
    ["Tasks", request.task_counts ? request.task_counts.settled + " of " + request.task_counts.total + " settled" : "not planned yet"],
  ];
  at("facts").replaceChildren(...facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  const lines = request.outcome ? request.outcome.lines : [];
  at("outcome").hidden = lines.length === 0;
  at("lines").replaceChildren(...lines.map((line) => row([words(line.category), words(line.disposition), String(line.count), words(line.checked), why(line)])));
  at("tasks").replaceChildren(...tasks.map((task) => row([task.processor_title || task.processor, words(task.action), task.attention ? "needs a person: " + words(task.attention.reason) : words(task.state), task.outcome ? words(task.outcome.headline) : "", moment(task.settled_at)])));
  at("timeline").replaceChildren(...timeline.map(entry));
}

function why(line) {
  return [line.ground, line.until && "until " + line.until, line.reason].filter(Boolean).map(words).join(", ");
}

function entry(fact) {
  const item = document.createElement("li");
  const time = element("time", moment(fact.at));
  time.dateTime = fact.at;
  item.append(time, element("strong", words(fact.type.replace(".", ": "))));
  const notes = [fact.processor, fact.detail.reason, fact.detail.headline].filter(Boolean).map(words);
  if (notes.length) item.append(" - " + notes.join(", "));
  return item;
}

function row(cells) {
  const line = document.createElement("tr");
  line.append(...cells.map((text) => element("td", text)));
  return line;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function words(text) {
  return String(text).replaceAll("_", " ");
}

function moment(text) {
  return text ? new Date(text).toLocaleString() : "";
}

refresh();
