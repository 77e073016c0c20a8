"use strict";
// The inbox page: rows by fetch, news by server-sent events. Foreign text goes through textContent and setAttribute only;
// the HTML of an e-mail is a framed document of its own. All state is in `state`; what is shown is derived from it.

const CHANNELS = { in_app: "In-app", email: "E-mail", sms: "SMS", push: "Push", chat: "Chat" };
const MOST_SHOWN = 400;
const state = { people: [], person: null, channel: null, query: "", messages: [], more: false, asked: 0, lastSeq: 0 };
const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name === "onclick") made.addEventListener("click", value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function icon(channel) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${channel in CHANNELS ? channel : "in_app"}`);
  svg.append(use);
  return svg;
}

const looksLikeId = (text) => /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(text);
const shortName = (text) => (looksLikeId(text) ? `${text.slice(0, 8)}…` : text);

function avatar(name, id) {
  const words = name.split(/[\s.@_-]+/).filter(Boolean);
  const initials = (looksLikeId(name) ? name.slice(0, 2) : words.slice(0, 2).map((word) => [...word][0]).join("")).toUpperCase();
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return element("span", { class: `avatar tone-${(hash >>> 3) % 8}`, "aria-hidden": "true" }, initials);
}

const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

function drawPeople() {
  const words = state.query.toLowerCase();
  const everybody = state.people.reduce((sum, person) => sum + total(person.counts), 0);
  const shown = state.people
    .filter((person) => person.subscriberId === state.person || !words || person.name.toLowerCase().includes(words))
    .sort((a, b) => total(b.counts) - total(a.counts) || a.name.localeCompare(b.name))
    .slice(0, 200);
  const row = (id, face, name, note, count) => element("li", {}, element("button",
    { type: "button", "aria-pressed": String(state.person === id), onclick: () => choose({ person: id }) },
    face, element("span", { class: "who" }, element("b", { title: name }, shortName(name)), note ? element("small", {}, note) : null),
    element("span", { class: "count" }, count.toLocaleString())));
  byId("people").replaceChildren(
    row(null, element("span", { class: "avatar", "aria-hidden": "true" }, "∗"), "Everybody", `${state.people.length.toLocaleString()} people`, everybody),
    ...shown.map((person) => row(person.subscriberId, avatar(person.name, person.subscriberId), person.name, person.email || "", total(person.counts))),
  );
}

function drawChannels() {
  const counts = {};
  for (const person of state.people) {
    if (state.person !== null && person.subscriberId !== state.person) continue;
    for (const [channel, count] of Object.entries(person.counts)) counts[channel] = (counts[channel] || 0) + count;
  }
  const chip = (channel, label, count) => element("button",
    { type: "button", class: `c-${channel}`, "aria-pressed": String(state.channel === channel), onclick: () => choose({ channel }) },
    channel ? icon(channel) : null, label, element("span", { class: "count" }, (count || 0).toLocaleString()));
  byId("channels").replaceChildren(chip(null, "All", total(counts)),
    ...Object.entries(CHANNELS).filter(([channel]) => counts[channel] || state.channel === channel).map(([channel, label]) => chip(channel, label, counts[channel])));
}

function emailFrame(message) {
  const frame = element("iframe", { sandbox: "allow-same-origin", loading: "lazy", referrerpolicy: "no-referrer",
    title: `E-mail to ${message.name}`, src: `/inbox/email/${encodeURIComponent(message.id)}` });
  frame.addEventListener("load", () => {
    const height = frame.contentDocument?.documentElement?.getBoundingClientRect().height || 0;
    if (height) frame.style.height = `${Math.min(Math.ceil(height) + 4, 620)}px`;
  });
  return frame;
}

function card(message, fresh) {
  const when = new Date(message.deliveredAt);
  const content = message.channel === "email" ? emailFrame(message)
    : element("p", { class: message.channel === "sms" || message.channel === "chat" ? "bubble" : "text" }, message.body);
  return element("li", { class: `card c-${message.channel}${message.withdrawn ? " withdrawn" : ""}${fresh ? " fresh" : ""}` },
    avatar(message.name, message.subscriberId),
    element("div", { class: "inside" },
      element("div", { class: "line" },
        element("b", { title: message.subscriberId }, shortName(message.name)),
        element("span", { class: "tag" }, icon(message.channel), CHANNELS[message.channel] || message.channel),
        message.withdrawn ? element("span", { class: "tag gone" }, "withdrawn") : null,
        element("span", { title: message.workflowId }, message.workflowName),
        message.address ? element("span", {}, `→ ${message.address}`) : null,
        element("time", { datetime: message.deliveredAt, title: when.toLocaleString() }, when.toLocaleTimeString())),
      message.subject ? element("p", { class: "subject" }, message.subject) : null,
      content,
      element("p", { class: "trace" }, message.transactionId)));
}

function dayOf(message) {
  const day = new Date(message.deliveredAt).toDateString();
  if (day === new Date().toDateString()) return "Today";
  return day === new Date(Date.now() - 86400000).toDateString() ? "Yesterday" : day;
}

function drawFeed() {
  const rows = [];
  let day = null;
  for (const message of state.messages) {
    if (dayOf(message) !== day) rows.push(element("li", { class: "day" }, (day = dayOf(message))));
    rows.push(card(message, false));
  }
  byId("feed").replaceChildren(...rows);
}

function drawFrame() {
  const person = state.people.find((each) => each.subscriberId === state.person);
  byId("title").textContent = state.person === null ? "Everybody" : person?.name || state.person;
  byId("more").hidden = !state.more;
  const narrowed = state.query || state.person !== null || state.channel !== null;
  byId("empty").hidden = state.messages.length > 0;
  byId("empty-title").textContent = narrowed ? "Nothing matches" : "Nothing has arrived yet";
  byId("empty-hint").textContent = narrowed ? "Try other words, another person or all channels."
    : "Messages appear here by themselves as soon as a workflow delivers them.";
  const all = state.people.reduce((sum, each) => sum + total(each.counts), 0);
  document.title = `${all ? `(${all.toLocaleString()}) ` : ""}Inbox · Novu sandbox`;
}

async function fetchJson(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

async function load(older = false) {
  const ticket = ++state.asked;
  const query = new URLSearchParams();
  if (state.person !== null) query.set("person", state.person);
  if (state.channel !== null) query.set("channel", state.channel);
  if (state.query) query.set("q", state.query);
  if (older && state.messages.length) query.set("before", state.messages.at(-1).seq);
  const [{ people, lastSeq }, { messages, more }] =
    await Promise.all([fetchJson("/inbox/people"), fetchJson(`/inbox/messages?${query}`)]);
  if (ticket !== state.asked) return lastSeq; // a newer question was asked meanwhile
  state.people = people;
  state.lastSeq = lastSeq;
  state.messages = older ? state.messages.concat(messages) : messages;
  state.more = more;
  drawPeople(); drawChannels(); drawFeed(); drawFrame();
  return lastSeq;
}

const reload = () => load().catch(() => setLive("off"));

function choose(change) {
  Object.assign(state, change);
  reload();
}

function wanted(message) {
  const words = state.query.toLowerCase();
  const text = [message.subject, message.body, message.name, message.workflowId, message.subscriberId, message.transactionId];
  return (state.person === null || message.subscriberId === state.person)
    && (state.channel === null || message.channel === state.channel)
    && (!words || text.some((part) => (part || "").toLowerCase().includes(words)));
}

function arrived(messages) {
  const news = messages.filter((each) => each.seq > state.lastSeq); // a reload may have been quicker
  for (const message of news) {
    state.lastSeq = message.seq;
    let person = state.people.find((each) => each.subscriberId === message.subscriberId);
    if (!person) state.people.push((person = { subscriberId: message.subscriberId, name: message.name, email: null, counts: {} }));
    person.counts[message.channel] = (person.counts[message.channel] || 0) + 1;
    if (!wanted(message)) continue;
    const heading = byId("feed").firstElementChild;
    if (!heading || heading.textContent !== dayOf(message)) byId("feed").prepend(element("li", { class: "day" }, dayOf(message)));
    byId("feed").firstElementChild.after(card(message, true));
    state.messages.unshift(message);
  }
  if (state.messages.length > MOST_SHOWN) {
    state.messages.length = MOST_SHOWN;
    state.more = true;
    drawFeed();
  }
  drawPeople(); drawChannels(); drawFrame();
}

function setLive(how) {
  const label = byId("live");
  label.className = `live ${how}`;
  label.textContent = how === "on" ? "live" : "reconnecting";
}

function follow(after) {
  const source = new EventSource(`/inbox/stream?after=${after}`);
  source.addEventListener("open", () => setLive("on"));
  source.addEventListener("error", () => {
    setLive("off");
    if (source.readyState === EventSource.CLOSED) setTimeout(start, 2000);
  });
  source.addEventListener("messages", (event) => arrived(JSON.parse(event.data)));
  source.addEventListener("refresh", reload);
}

async function start() {
  try {
    follow(await load());
  } catch {
    setLive("off");
    setTimeout(start, 2000);
  }
}

let typing;
byId("search").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => choose({ query: event.target.value.trim() }), 150);
});
byId("more").addEventListener("click", () => load(true).catch(() => setLive("off")));
start();
