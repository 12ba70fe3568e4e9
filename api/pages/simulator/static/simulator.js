// The page's own script: live events in, what the visitor does out. No library, no build.
import { Phone } from "./phone.js";

const given = JSON.parse(document.getElementById("given").textContent);
const told = document.getElementById("told");
given.used = new Set(); // lines that the customer has written on any phone
const phones = new Map();
for (const element of document.querySelectorAll("[data-phone]")) {
  phones.set(element.dataset.phone, new Phone(element, given, act));
}

/** Ask the server to do something; says what went wrong. */
async function act(what, body = {}) {
  if (what !== "read") tell("");
  try {
    const answer = await fetch(`/simulator/${given.number}/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.detail ?? answer.statusText);
    return found;
  } catch (error) {
    tell(given.words.failed.replace("{detail}", error.message), true);
    return null;
  }
}

function tell(text, trouble = false) {
  told.textContent = text;
  told.classList.toggle("trouble", trouble);
}

const after = {
  contact({ sent, reason }) {
    if (sent) tell(given.words.contacted);
    else tell(given.words.not_contacted.replace("{reason}", given.reasons[reason] ?? reason), true);
  },
  clock: () => tell(given.words.time_moved.replace("{time}", document.querySelector("#part-clock time")?.textContent ?? "")),
  pay: () => tell(given.words.money_came),
  again: (found) => location.assign(`/simulator/${found.number}${location.search}`),
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  button.disabled = true;
  const found = await act(button.dataset.do, { step: button.dataset.step ?? "" });
  button.disabled = false;
  button.focus();
  if (found) after[button.dataset.do](found);
});

document.getElementById("story").addEventListener("change", (event) => {
  const address = new URL("/simulator", location.href);
  address.searchParams.set("story", event.target.value);
  address.searchParams.set("lang", given.language);
  location.assign(address);
});

// Narrow screens show one place at a time; the last one stays.
const places = [...document.querySelectorAll("[data-place]")];
function show(place) {
  for (const button of places) {
    const here = button.dataset.place === place;
    button.setAttribute("aria-pressed", String(here));
    if (here) button.querySelector(".new")?.setAttribute("hidden", "");
  }
  for (const element of document.querySelectorAll("main > *")) {
    element.classList.toggle("here", (element.dataset.phone ?? element.id) === place);
  }
  phones.get(place)?.toEnd();
}
for (const button of places) button.addEventListener("click", () => show(button.dataset.place));
show([...phones].find(([, phone]) => phone.has)?.[0] ?? "panel");

document.addEventListener("simulator:open", (event) => {
  const { phone, start, text } = event.detail;
  show(phone);
  phones.get(phone).element.scrollIntoView({ block: "nearest" });
  phones.get(phone).focus(text);
  if (start) act("write", { phone, text: `/start ${start}` });
});

// One phone is in the customer's hand: the one on which something happened last.
let inHand = null;
let caughtUp = false;
function take(name) {
  inHand = name;
  for (const [each, phone] of phones) phone.inHand(each === name);
}

const live = new EventSource(`/simulator/${given.number}/live?lang=${given.language}`);
const on = (kind, handle) => live.addEventListener(kind, (event) => handle(JSON.parse(event.data)));
on("message", (message) => {
  if (message.mine) given.used.add(message.text);
  phones.get(message.phone).message(message, caughtUp);
  take(message.phone);
  if (message.mine || !caughtUp) return;
  const tab = places.find((button) => button.dataset.place === message.phone);
  if (tab.getAttribute("aria-pressed") !== "true") tab.querySelector(".new").hidden = false;
});
on("status", (status) => phones.get(status.phone)?.status(status));
on("pressed", (press) => {
  given.used.add(phones.get(press.phone).pressed(press));
  take(press.phone);
});
on("state", (state) => {
  // The main thing to do: write first, then see what comes of it.
  document.querySelector("[data-do=contact]").classList.toggle("primary", !state.begun);
  document.querySelector("[data-step=next]").classList.toggle("primary", state.begun);
  document.body.classList.toggle("begun", state.begun);
  for (const [name, phone] of phones) {
    phone.typing(Boolean(state.busy[name]) || state.typing.includes(name));
    phone.clock(state.offset);
  }
  if (inHand === null) take([...phones].find(([, phone]) => phone.has)?.[0]);
});
on("panel", (parts) => {
  caughtUp = true; // the first one comes after all that was said before
  for (const [name, html] of Object.entries(parts)) {
    document.getElementById(`part-${name}`).innerHTML = html;
  }
});
live.addEventListener("error", () => tell(given.words.offline, true));
live.addEventListener("open", () => { if (told.classList.contains("trouble")) tell(""); });
